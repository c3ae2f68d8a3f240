// Counts what the memory system would do for each warp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace executor::profile {

void start();
void count(const char *address, size_t size, bool write, bool atomic, bool shared, int memory, const char *begin,
           uint32_t site);
void warp_met(unsigned warp);
void describe(std::string &answer);

}  // namespace executor::profile
