// Four threads throw and catch through deep frames with destructors, for some seconds.
#include "mirror.h"
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static long dive(int depth, long &alive) {
    struct Guard {
        long &alive;
        explicit Guard(long &alive) : alive(alive) { alive++; }
        ~Guard() { alive--; }
    } guard(alive);
    std::string text(40 + depth, 'a');
    if (depth == 0) throw std::runtime_error(text);
    return dive(depth - 1, alive) + static_cast<long>(text.size());
}

static void work(std::chrono::steady_clock::time_point end, long &wrong) {
    long alive = 0;
    for (int depth = 0; std::chrono::steady_clock::now() < end; depth = (depth + 1) % 40) {
        try {
            dive(depth, alive);
            wrong++;
        } catch (const std::exception &error) {
            wrong += std::string(error.what()).size() != 40 || alive != 0;
        }
    }
}

int main(int count, char **words) {
    auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(count > 1 ? (int)(atof(words[1]) * 1000) : 1000);
    long wrong[4] = {};
    std::vector<std::thread> threads;
    for (auto &one : wrong) threads.emplace_back(work, end, std::ref(one));
    for (auto &thread : threads) thread.join();
    std::printf("wrong %ld %ld %ld %ld\n", wrong[0], wrong[1], wrong[2], wrong[3]);
    mirror_tell();
    return 0;
}
