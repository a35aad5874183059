// Exceptions thrown and caught through deep frames on several threads, out of callbacks of libc, and past the end.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include <sys/wait.h>
#include <unistd.h>

static long dive(int depth, std::vector<std::string> &texts) {
    std::string here(64 + depth, 'a');
    texts.push_back(here);
    if (depth == 0) throw std::runtime_error("bottom " + here);
    return dive(depth - 1, texts) + static_cast<long>(here.size());
}
static int compare(const void *a, const void *) {
    if (*static_cast<const int *>(a) == 77) throw 77;
    return -1;
}
static long work() {
    long caught = 0;
    for (int i = 0; i < 1500; i++) {
        std::vector<std::string> texts;
        try {
            dive(i % 30, texts);
        } catch (const std::runtime_error &error) {
            caught += std::strncmp(error.what(), "bottom ", 7) == 0;
            std::exception_ptr held = std::current_exception();
            try { std::rethrow_exception(held); } catch (const std::exception &) { caught++; }
        }
    }
    std::vector<int> numbers(100, 5);
    numbers[50] = 77;
    try { std::qsort(numbers.data(), numbers.size(), sizeof(int), compare); } catch (int value) { caught += value; }
    return caught;
}

int main() {
    long caught[4] = {};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++) threads.emplace_back([&caught, i] { caught[i] = work(); });
    for (auto &thread : threads) thread.join();
    std::printf("caught %ld %ld %ld %ld\n", caught[0], caught[1], caught[2], caught[3]);
    std::fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        close(2);
        // Nobody catches it: the thread's first function ends the program.
        std::thread([] { throw std::runtime_error("lost"); }).join();
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    std::printf("uncaught: signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return 0;
}
