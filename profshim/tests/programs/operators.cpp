// C++'s operators: plain, arrays, aligned, sized, without exceptions; what is too large is refused as it should be.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

struct alignas(256) Wide { char bytes[512]; };
struct Counted {
    static inline int alive;
    std::string text = std::string(100, 'x');
    Counted() { __atomic_fetch_add(&alive, 1, __ATOMIC_RELAXED); }
    ~Counted() { __atomic_fetch_sub(&alive, 1, __ATOMIC_RELAXED); }
};
static thread_local std::vector<std::string> kept;
static int handled;

static long work(int number) {
    long wrong = 0;
    for (int i = 0; i < 2000; i++) {
        auto *one = new Counted;
        auto *many = new Counted[i % 7 + 1];
        auto *wide = new Wide;
        auto *wides = new Wide[3];
        wrong += reinterpret_cast<uintptr_t>(wide) % 256 != 0 || reinterpret_cast<uintptr_t>(wides) % 256 != 0;
        auto *quiet = new (std::nothrow) char[100];
        wrong += quiet == nullptr;
        void *raw = ::operator new(77);
        ::operator delete(raw, std::size_t{77});
        raw = ::operator new(1000, std::align_val_t{4096});
        wrong += reinterpret_cast<uintptr_t>(raw) % 4096 != 0;
        ::operator delete(raw, std::align_val_t{4096});
        kept.push_back("text that is too long to stand in the string itself " + std::to_string(number));
        delete one;
        delete[] many;
        delete wide;
        delete[] wides;
        delete[] quiet;
    }
    return wrong;
}

int main() {
    volatile std::size_t much = SIZE_MAX / 4;
    int caught = 0;
    try { delete[] new char[much]; } catch (const std::bad_alloc &) { caught++; }
    try { volatile long count = -1; delete[] new long[count]; } catch (const std::bad_array_new_length &) { caught++; }
    caught += ::operator new(much, std::nothrow) == nullptr;
    std::set_new_handler([] { if (++handled == 3) std::set_new_handler(nullptr); });
    try { ::operator delete(::operator new(much)); } catch (const std::bad_alloc &) { caught++; }
    long wrong[4] = {};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) threads.emplace_back([&wrong, i] { wrong[i] = work(i); });
    for (auto &thread : threads) thread.join();
    auto shared = std::make_shared<Counted>();
    std::printf("caught %d handled %d wrong %ld alive %d\n", caught, handled, wrong[0] + wrong[1] + wrong[2] + wrong[3], Counted::alive);
    return 0;
}
