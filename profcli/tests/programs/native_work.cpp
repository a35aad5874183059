// A program in C++: work in a template's member function, blocks from `new`, copies. Line numbers are found by the marks.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

namespace shop {

static double seconds_of_thread() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

volatile uint64_t result;

template <typename Item>
struct Basket {
    __attribute__((noinline)) void fill(double seconds) {
        double end = seconds_of_thread() + seconds;
        while (seconds_of_thread() < end)
            for (int i = 0; i < 100000; i++) result = result * 6364136223846793005u + sizeof(Item);  // FILL
    }
};

__attribute__((noinline)) static void keep(std::vector<char *> &kept, int blocks) {
    for (int i = 0; i < blocks; i++) {
        kept.push_back(new char[1 << 20]);  // NEW
        memset(kept.back(), i, 1 << 20);
        if (i > 0) memcpy(kept[i], kept[i - 1], 1 << 20);  // COPY
    }
}

}  // namespace shop

int main(int argc, char **argv) {
    std::vector<char *> kept;
    shop::Basket<short> basket;
    basket.fill(argc > 1 ? atof(argv[1]) : 1);  // MAIN
    shop::keep(kept, 200);
    shop::result = shop::result + kept.back()[5];
    return 0;
}
