// Counts what the memory system would do for each warp: the k-th time that the lanes come to the same instruction since
// the warp last met, they make one request together.
#include "profile.h"

#include <algorithm>
#include <cstdio>
#include <unordered_map>
#include <vector>

#include "runtime.h"

namespace executor::profile {
namespace {

struct Request {
  const char *address[WARP];
  uint32_t lanes;
};

struct Site {
  uint32_t site;
  size_t size;
  bool write, atomic, shared;
  int memory;
  const char *begin;
  uint64_t requests = 0, lanes = 0, transfers = 0, ideal = 0;
  std::vector<Request> open;  // of the running warp
  size_t traced = 0;
};

std::vector<Site> sites;
std::unordered_map<uint64_t, uint32_t> index_of;
std::string trace;

uint32_t find_site(const Site &wanted) {
  uint64_t key = static_cast<uint64_t>(wanted.site) << 32 | static_cast<uint32_t>(wanted.memory) << 8 |
                 wanted.size << 1 | wanted.write;
  auto [found, is_new] = index_of.try_emplace(key, sites.size());
  if (is_new) sites.push_back(wanted);
  return found->second;
}

// A few numbers, of which the distinct ones are counted.
struct Numbers {
  uint64_t items[WARP * 4];
  size_t count = 0;

  void add(uint64_t item) { items[count++] = item; }

  size_t keep_distinct() {
    if (!std::is_sorted(items, items + count)) std::sort(items, items + count);
    return count = static_cast<size_t>(std::unique(items, items + count) - items);
  }
};

// Sectors are 32 bytes. The ideal is what the distinct bytes would fill if they lay side by side.
void count_sectors(Site &site, const Request &request) {
  Numbers sectors, places;
  for (uint32_t rest = request.lanes; rest; rest &= rest - 1) {
    uint64_t address = reinterpret_cast<uint64_t>(request.address[__builtin_ctz(rest)]);
    places.add(address);
    for (uint64_t sector = address / 32; sector <= (address + site.size - 1) / 32; sector++) sectors.add(sector);
  }
  site.transfers += sectors.keep_distinct();
  site.ideal += (places.keep_distinct() * site.size + 31) / 32;
}

// Shared memory has 32 banks of 4 bytes: in one pass each of them serves one word, to all lanes that want it. Wider
// accesses go by half and quarter warps. Atomics on one word take turns.
void count_passes(Site &site, const Request &request) {
  unsigned together = site.size <= 4 ? WARP : WARP * 4 / static_cast<unsigned>(site.size);
  for (unsigned first = 0; first < WARP; first += together) {
    Numbers words;
    for (unsigned lane = first; lane < first + together; lane++)
      for (size_t byte = 0; request.lanes >> lane & 1 && byte < site.size; byte += 4)
        words.add((static_cast<uint64_t>(request.address[lane] - site.begin) + byte) / 4);
    if (words.count == 0) continue;
    if (!site.atomic) words.keep_distinct();
    unsigned passes[WARP] = {};
    for (size_t i = 0; i < words.count; i++) passes[words.items[i] % WARP]++;
    site.transfers += *std::max_element(passes, passes + WARP);
    site.ideal++;
  }
}

void add_to_trace(Site &site, uint32_t id, const Request &request, unsigned warp) {
  if (site.traced++ >= launch.trace_limit) return;
  char text[64];
  snprintf(text, sizeof text, "request %u %u %u %u", id, block_number, warp, request.lanes);
  trace += text;
  for (unsigned lane = 0; lane < WARP; lane++) {
    if (!(request.lanes >> lane & 1)) continue;
    snprintf(text, sizeof text, " %lld", static_cast<long long>(request.address[lane] - site.begin));
    trace += text;
  }
  trace += '\n';
}

void count_part(const char *address, const Site &wanted) {
  uint32_t id = find_site(wanted);
  auto &occurrences = current->occurrences;
  if (occurrences.size() <= id) occurrences.resize(id + 1, 0);
  uint32_t occurrence = occurrences[id]++;
  auto &open = sites[id].open;
  if (open.size() <= occurrence) open.resize(occurrence + 1, Request{{}, 0});
  open[occurrence].address[current->lane] = address;
  open[occurrence].lanes |= 1u << current->lane;
}

}  // namespace

void start() {
  sites.clear(), index_of.clear(), trace.clear();
  for (auto &thread : threads) thread.occurrences.clear();
}

// A GPU moves at most 16 bytes per lane and instruction, a power of two; the compiler of the CPU may move more at once.
void count(const char *address, size_t size, bool write, bool atomic, bool shared, int memory, const char *begin,
           uint32_t site) {
  size_t part = size;
  for (part = 16; size % part || reinterpret_cast<uintptr_t>(address) % part;) part /= 2;
  for (size_t offset = 0; offset < size; offset += part)
    count_part(address + offset, Site{site, part, write, atomic, shared, memory, begin});
}

void warp_met(unsigned warp) {
  for (uint32_t id = 0; id < sites.size(); id++) {
    Site &site = sites[id];
    for (auto &request : site.open) {
      site.requests++;
      site.lanes += static_cast<uint64_t>(__builtin_popcount(request.lanes));
      site.shared ? count_passes(site, request) : count_sectors(site, request);
      add_to_trace(site, id, request, warp);
    }
    site.open.clear();
  }
  for (unsigned lane = 0; lane < warps[warp].size; lane++) {
    auto &occurrences = threads[warps[warp].first + lane].occurrences;
    std::fill(occurrences.begin(), occurrences.end(), 0);
  }
}

void describe(std::string &answer) {
  char text[256];
  for (auto &s : sites) {
    snprintf(text, sizeof text, "access %u %d %d %d %d %zu %llu %llu %llu %llu\n", s.site, s.write, s.atomic, s.shared,
             s.memory, s.size, (unsigned long long)s.requests, (unsigned long long)s.lanes,
             (unsigned long long)s.transfers, (unsigned long long)s.ideal);
    answer += text;
  }
  answer += trace;
}

}  // namespace executor::profile
