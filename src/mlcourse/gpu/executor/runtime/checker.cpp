// Looks at every access to memory: is it inside an array, aligned, of something written before, and ordered against
// the accesses of other threads? For each element it remembers the last write and who has read it since; two accesses
// are ordered if a barrier, __syncwarp or a fence with an atomic stands between them.
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <unordered_map>

#include "profile.h"
#include "runtime.h"

namespace executor {

std::vector<Variable> variables;
size_t shared_variables;
char *shared_begin, *shared_end, *dynamic_begin;
char *data_begin, *data_end;
uintptr_t image_base;
uint32_t last_site;

namespace checker {
namespace {

enum : unsigned { WRITE = 1, ATOMIC = 2, STRONG = 4, IN_FLIGHT = 8, MATRIX = 16, COMPARES = 32 };

// When and where somebody accessed something.
struct Stamp {
  uint32_t block;  // 1 + number; 0: nobody
  uint32_t epoch;  // block barriers before it
  uint32_t site;
  uint16_t time;  // warp barriers and fences before it, since the last block barrier
  uint16_t thread : 10;
  uint16_t flags : 6;
};

struct Cell {
  Stamp write;   // not atomic
  Stamp atomic;  // since the write
  Stamp read;    // since the write, of one warp; the lanes that read are `lanes`
  Stamp other;   // since the write, a read of an earlier block or an atomic of another thread
  uint32_t lanes;
  uint32_t more;  // further readers of this block
};

struct MoreReaders {
  Stamp read;
  uint32_t lanes;
  uint32_t next;
};

// Memory whose elements have cells.
struct Region {
  char *begin = nullptr;
  size_t size = 0;
  unsigned granule = 4;
  int memory = 0;
  bool shared = false, read_only = false, poisoned = false;
  Cell *cells = nullptr;
  size_t cell_bytes = 0;
};

// What a thread knows to have happened before, beyond its own block's barriers.
struct Knowledge {
  std::map<uint32_t, uint32_t> blocks;                        // all of a block before this epoch
  std::map<uint64_t, std::pair<uint32_t, uint16_t>> threads;  // a thread up to this epoch and time

  bool covers(const Stamp &stamp) const {
    auto block = blocks.find(stamp.block);
    if (block != blocks.end() && stamp.epoch < block->second) return true;
    auto thread = threads.find(static_cast<uint64_t>(stamp.block) << 10 | stamp.thread);
    return thread != threads.end() && std::pair<uint32_t, uint16_t>{stamp.epoch, stamp.time} <= thread->second;
  }

  void add_thread(uint32_t block, unsigned number, uint32_t epoch, uint16_t time) {
    auto &known = threads[static_cast<uint64_t>(block) << 10 | number];
    known = std::max(known, {epoch, time});
  }

  void add(const Knowledge &other) {
    for (auto &[block, epoch] : other.blocks) blocks[block] = std::max(blocks[block], epoch);
    for (auto &[thread, when] : other.threads) threads[thread] = std::max(threads[thread], when);
  }
};

struct Release {
  Knowledge device, block;
  uint32_t in_block = 0;
};

struct Fenced {
  uint32_t epoch;
  uint16_t time;
  bool valid;
};

// Two writes without order are a race unless they write the same; that is known only after the second.
struct PendingWrite {
  Fault fault;
  const char *address;
  size_t size;
  char before[16];
};

// A plain read of what others update atomically is a race, unless the thread goes on to atomicCAS, which looks again.
struct UncheckedRead {
  Fault fault;
  const char *address = nullptr;
  uint64_t access = 0;  // which of all
};

std::vector<Region> regions;  // dynamic shared memory, the buffers, the kernel's variables
size_t last_region;
std::vector<MoreReaders> more_readers;
std::vector<PendingWrite> pending;
std::vector<UncheckedRead> unchecked;  // the last of each thread of the block
uint64_t accesses;
std::unordered_map<const void *, Release> releases;
std::vector<std::unique_ptr<Knowledge>> known_by;  // thread of the block
Knowledge known_by_block;
std::vector<Fenced> fenced[2];
Knowledge fenced_by_block[2];  // what its threads fenced before the last barrier

uint16_t now() { return static_cast<uint16_t>(std::min(current->seen[current->lane], 0xffffu)); }

Stamp stamp_here(uint32_t site, unsigned flags) {
  return {
      block_number + 1, block_epoch, site, now(), static_cast<uint16_t>(current->number), static_cast<uint16_t>(flags)};
}

bool known(const Stamp &earlier) {
  if (known_by_block.covers(earlier)) return true;
  auto &own = known_by[current->number];
  return own && own->covers(earlier);
}

// Is this earlier access ordered before what the current thread does now?
bool ordered(const Stamp &earlier) {
  if (earlier.block != block_number + 1) return known(earlier);
  if (earlier.epoch < block_epoch || earlier.thread == current->number) return true;
  if (earlier.thread / WARP == current->warp && earlier.time <= current->seen[earlier.thread % WARP]) return true;
  return known(earlier);
}

Cell *make_cells(size_t bytes) {
  void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) abandon("the system has no memory to check arrays as large as these: check a smaller case");
  return static_cast<Cell *>(memory);
}

void give_cells(Region &region) {
  region.cell_bytes = (region.size / region.granule + 2) * sizeof(Cell);
  region.cells = make_cells(region.cell_bytes);
}

// An access to a part of an element: from now on each part is an element.
void refine(Region &region, unsigned granule) {
  size_t old_bytes = region.cell_bytes, parts = region.granule / granule, count = region.size / region.granule + 1;
  Cell *old = region.cells;
  region.granule = granule;
  give_cells(region);
  for (size_t i = 0; i < count; i++) {
    if (!(old[i].write.block | old[i].atomic.block | old[i].read.block)) continue;
    for (size_t part = 0; part < parts && (i * parts + part) < region.size / granule + 1; part++)
      region.cells[i * parts + part] = old[i];
  }
  munmap(old, old_bytes);
}

void add_region(char *begin, size_t size, unsigned granule, int memory, bool shared) {
  Region region;
  region.begin = begin, region.size = size, region.memory = memory, region.shared = shared;
  while (granule > 1 && (granule & (granule - 1) || granule > 16)) granule = granule > 16 ? 16 : 1;
  region.granule = std::max(granule, 1u);
  if (size) give_cells(region);
  regions.push_back(region);
}

Region *find_region(const char *address) {
  auto inside = [&](Region &r) { return address >= r.begin && address < r.begin + r.size; };
  if (last_region < regions.size() && inside(regions[last_region])) return &regions[last_region];
  for (size_t i = 0; i < regions.size(); i++)
    if (inside(regions[i])) return last_region = i, &regions[i];
  return nullptr;
}

// The compiler found an index outside of an array that the kernel declares; the access itself is still to come.
struct BadIndex {
  unsigned thread;
  uint32_t site;
  int64_t index;
  const char *array;  // its type, such as 'float [32][33]'
  bool valid = false;
};

BadIndex bad_index;

Fault fault_at(FaultKind kind, uint32_t site, int memory, int64_t offset, size_t size, unsigned flags) {
  Fault fault = fault_here(kind, site);
  fault.memory = memory, fault.offset = offset, fault.size = size;
  fault.operation = flags & ATOMIC ? 2 : static_cast<int>(flags & WRITE);
  return fault;
}

// Finds the array that an address outside of all of them was most likely meant for.
void report_outside(const char *address, size_t size, unsigned flags, uint32_t site) {
  int memory = -1;
  int64_t offset = 0, best = INT64_MAX;
  if (address >= dynamic_begin && address < dynamic_begin + DYNAMIC_SHARED_MAXIMUM) {
    memory = -3, offset = address - dynamic_begin, best = 0;
  } else {
    for (auto &region : regions) {
      if (region.size == 0 && region.memory < 0) continue;
      int64_t distance = address < region.begin ? region.begin - address : address - (region.begin + region.size);
      if (distance >= best) continue;
      best = distance, memory = region.memory, offset = address - region.begin;
    }
  }
  bool wild = best > (1 << 30);
  report(fault_at(FaultKind::out_of_bounds, site, wild ? -1 : memory,
                  wild ? reinterpret_cast<int64_t>(address) : offset, size, flags));
  bool mapped = (address >= shared_begin - 60000 && address < shared_end + 60000) || (memory == -3 && !wild) ||
                (memory >= 0 && best < (16 << 20)) || (address >= data_begin && address < data_end);
  if (!mapped) abandon("an access far outside of every array");
}

void keep_unchecked(const Fault &fault, const char *address) {
  UncheckedRead &last = unchecked[current->number];
  if (last.address && last.access == accesses) return;
  if (last.address) report(last.fault);
  last = {fault, address, accesses};
}

void report_unchecked() {
  for (auto &read : unchecked)
    if (read.address) report(read.fault);
  unchecked.assign(threads.size(), {});
}

void report_conflict(const Region &region, const char *address, size_t size, const Stamp &earlier, unsigned flags,
                     uint32_t site) {
  Fault fault = fault_at(FaultKind::race, site, region.memory, address - region.begin, size, flags);
  fault.other_site = earlier.site;
  fault.other_block = earlier.block - 1, fault.other_thread = earlier.thread;
  fault.other_operation = earlier.flags & ATOMIC ? 2 : earlier.flags & WRITE;
  if (!(flags & (WRITE | ATOMIC)) && (earlier.flags & ATOMIC)) return keep_unchecked(fault, address);
  bool both_write = (flags & WRITE) && (earlier.flags & WRITE) && !((flags | earlier.flags) & ATOMIC);
  if (!both_write || size > 16) return report(fault);
  PendingWrite write{fault, address, size, {}};
  std::memcpy(write.before, address, size);
  pending.push_back(write);
}

bool conflict(const Stamp &earlier, unsigned flags) {
  if (earlier.block == 0 || !((flags | earlier.flags) & WRITE)) return false;
  constexpr unsigned WEAK_NEVER = ATOMIC | STRONG;
  if ((flags & WEAK_NEVER) && (earlier.flags & WEAK_NEVER)) return false;
  if (flags & earlier.flags & MATRIX && flags & WRITE && earlier.block == block_number + 1 &&
      earlier.thread / WARP == current->warp && !(earlier.flags & WRITE))
    return false;
  return !ordered(earlier);
}

// Of the lanes that read together, one whose read is not ordered before the current access; -1 if there is none.
int unordered_lane(Stamp read, uint32_t lanes, unsigned flags) {
  unsigned first = read.thread / WARP * WARP;
  for (; lanes; lanes &= lanes - 1) {
    read.thread = static_cast<uint16_t>((first + __builtin_ctz(lanes)) & 1023);
    if (conflict(read, flags)) return read.thread;
  }
  return -1;
}

bool reads_are_current(const Cell &cell) {
  return cell.read.block == block_number + 1 && cell.read.epoch == block_epoch;
}

void check_readers(const Region &region, Cell &cell, const char *address, size_t size, unsigned flags, uint32_t site) {
  if (conflict(cell.other, flags)) report_conflict(region, address, size, cell.other, flags, site);
  if (cell.read.block == 0) return;
  Stamp read = cell.read;
  if (!reads_are_current(cell)) {
    if (conflict(read, flags)) report_conflict(region, address, size, read, flags, site);
    return;
  }
  int thread = unordered_lane(read, cell.lanes, flags);
  for (uint32_t next = cell.more; thread < 0 && next; next = more_readers[next - 1].next) {
    read = more_readers[next - 1].read;
    thread = unordered_lane(read, more_readers[next - 1].lanes, flags);
  }
  if (thread < 0) return;
  read.thread = static_cast<uint16_t>(thread & 1023);
  report_conflict(region, address, size, read, flags, site);
}

bool join_readers(Stamp &read, uint32_t &lanes, const Stamp &here) {
  if (read.thread / WARP != current->warp || read.flags != here.flags) return false;
  uint32_t own = 1u << current->lane;
  if (read.time == here.time) return lanes |= own, true;
  if ((lanes & ~own) && unordered_lane(read, lanes & ~own, WRITE) >= 0) return false;
  read = here, lanes = own;  // all of them are ordered before this read: what comes after it comes after them
  return true;
}

void remember_read(Cell &cell, const Stamp &here) {
  if (!reads_are_current(cell)) {
    if (cell.read.block && cell.read.block != here.block) cell.other = cell.read;
    cell.read = here, cell.lanes = 1u << current->lane, cell.more = 0;
    return;
  }
  if (join_readers(cell.read, cell.lanes, here)) return;
  for (uint32_t next = cell.more; next; next = more_readers[next - 1].next)
    if (join_readers(more_readers[next - 1].read, more_readers[next - 1].lanes, here)) return;
  more_readers.push_back({here, 1u << current->lane, cell.more});
  cell.more = static_cast<uint32_t>(more_readers.size());
}

// The current thread's atomicCAS has looked again at what it read before.
void forget_own_read(Cell &cell, const char *address) {
  UncheckedRead &last = unchecked[current->number];
  if (last.address == address) last = {};
  if (!reads_are_current(cell)) return;
  uint32_t own = 1u << current->lane;
  if (cell.read.thread / WARP == current->warp) cell.lanes &= ~own;
  for (uint32_t next = cell.more; next; next = more_readers[next - 1].next)
    if (more_readers[next - 1].read.thread / WARP == current->warp) more_readers[next - 1].lanes &= ~own;
  while (!cell.lanes && cell.more) {
    const MoreReaders &next = more_readers[cell.more - 1];
    cell.read = next.read, cell.lanes = next.lanes, cell.more = next.next;
  }
  if (!cell.lanes) cell.read.block = 0;
}

void remember_atomic(Cell &cell, const Stamp &here) {
  const Stamp &last = cell.atomic;
  if (last.block && (last.block != here.block || last.thread != here.thread)) cell.other = last;
  cell.atomic = here;
}

void remember_write(Cell &cell, const Stamp &here) {
  cell.write = here;
  cell.atomic.block = cell.read.block = cell.other.block = 0;
  cell.more = 0;
}

// What is remembered of shared memory is forgotten when another block gets it.
void start_afresh(Cell &cell) {
  for (Stamp *stamp : {&cell.write, &cell.atomic, &cell.read, &cell.other})
    if (stamp->block != block_number + 1) stamp->block = 0;
}

void check_cell(const Region &region, Cell &cell, const char *address, size_t size, unsigned flags, uint32_t site) {
  if (region.shared) start_afresh(cell);
  auto report_against = [&](const Stamp &earlier) { report_conflict(region, address, size, earlier, flags, site); };
  bool unwritten = (region.shared || region.poisoned) && !cell.write.block && !cell.atomic.block;
  bool reads = !(flags & WRITE) || (flags & ATOMIC);
  if (unwritten && reads)
    report(fault_at(FaultKind::uninitialized, site, region.memory, address - region.begin, size, flags));
  if (cell.write.block && cell.write.flags & IN_FLIGHT) {
    Fault fault = fault_at(FaultKind::async_copy, site, region.memory, address - region.begin, size, flags);
    fault.other_site = cell.write.site, fault.other_block = cell.write.block - 1,
    fault.other_thread = cell.write.thread;
    report(fault);
  } else if (conflict(cell.write, flags)) {
    report_against(cell.write);
  } else if (conflict(cell.atomic, flags)) {
    report_against(cell.atomic);
  }
  Stamp here = stamp_here(site, flags);
  if (!(flags & WRITE)) {
    if (conflict(cell.other, flags)) report_against(cell.other);
    return remember_read(cell, here);
  }
  if (flags & COMPARES) forget_own_read(cell, address);
  check_readers(region, cell, address, size, flags, site);
  const Fenced &fence = fenced[static_cast<int>(Scope::device)][current->number];
  if ((flags & ATOMIC) && fence.valid && fence.epoch == block_epoch)
    here.time = std::min(here.time, fence.time);  // handed on with the rest
  flags &ATOMIC ? remember_atomic(cell, here) : remember_write(cell, here);
}

// An atomic hands on what its thread has made visible by a fence, and learns what others have handed on.
void hand_over(const void *address) {
  auto &own = known_by[current->number];
  auto found = releases.find(address);
  if (found != releases.end()) {
    if (!own) own = std::make_unique<Knowledge>();
    own->add(found->second.device);
    if (found->second.in_block == block_number + 1) own->add(found->second.block);
  }
  for (int scope = 0; scope < 2; scope++) {
    Fenced &fence = fenced[scope][current->number];
    if (!fence.valid && fenced_by_block[scope].threads.empty()) continue;
    Release &release = releases[address];
    Knowledge &handed = scope == static_cast<int>(Scope::device) ? release.device : release.block;
    if (&handed == &release.block && release.in_block != block_number + 1)
      handed = {}, release.in_block = block_number + 1;
    handed.add(fenced_by_block[scope]);
    if (!fence.valid) continue;
    uint32_t &epoch = handed.blocks[block_number + 1];
    epoch = std::max(epoch, fence.epoch);
    handed.add_thread(block_number + 1, current->number, fence.epoch, fence.time);
    for (unsigned lane = 0; lane < WARP; lane++)
      if (current->seen[lane] && lane != current->lane)
        handed.add_thread(block_number + 1, current->warp * WARP + lane, fence.epoch,
                          static_cast<uint16_t>(current->seen[lane]));
    if (own) handed.add(*own);
    handed.add(known_by_block);
  }
}

size_t size_of_element(const char *array, size_t access_size) {
  static const std::pair<const char *, size_t> known[] = {
      {"'double", 8}, {"'long", 8},     {"'float4", 16}, {"'int4", 16},         {"'uint4", 16}, {"'float2", 8},
      {"'int2", 8},   {"'double2", 16}, {"'char", 1},    {"'unsigned char", 1}, {"'short", 2},  {"'unsigned short", 2}};
  size_t size = access_size;
  for (auto &[name, bytes] : known)
    if (std::strncmp(array, name, std::strlen(name)) == 0 && std::strchr(" [", array[std::strlen(name)])) size = bytes;
  const char *next = std::strchr(array, '[');
  while (next && (next = std::strchr(next + 1, '['))) size *= static_cast<size_t>(std::atoi(next + 1));
  return size;
}

// A row's end may be passed inside of an array of rows: tile[0][i] with all i is usual, though not beautiful.
bool inside_the_same_variable(const char *address, size_t access_size) {
  int64_t element = static_cast<int64_t>(size_of_element(bad_index.array, access_size));
  const char *bracket = std::strchr(bad_index.array, '[');
  int64_t rows = bracket ? std::atoi(bracket + 1) : 0;
  const char *base = address - bad_index.index * element;
  for (auto &variable : variables) {
    if (address < variable.begin || address >= variable.begin + variable.size) continue;
    return base >= variable.begin && base < variable.begin + variable.size &&
           rows * element < static_cast<int64_t>(variable.size);
  }
  return false;
}

void settle_bad_index(const char *address, size_t size) {
  bad_index.valid = false;
  if (address && current && current->number == bad_index.thread && inside_the_same_variable(address, size)) return;
  Fault fault = fault_here(FaultKind::out_of_bounds, bad_index.site);
  fault.thread = bad_index.thread;
  fault.memory = -5, fault.offset = bad_index.index;
  fault.detail = reinterpret_cast<int64_t>(bad_index.array);
  report(fault);
}

void access(void *pointer, size_t size, unsigned flags, uint32_t site) {
  if (!current) return;
  if (bad_index.valid) settle_bad_index(static_cast<char *>(pointer), size);
  char *address = static_cast<char *>(pointer);
  if (address >= current->carrier->stack && address < current->carrier->stack + STACK_SIZE) return;
  if (!pending.empty()) settle();
  last_site = site;
  accesses++;
  if (current->in_matrix) flags |= MATRIX;
  Region *region = find_region(address);
  if (!region) {
    if (in_a_stack(address)) return report(fault_at(FaultKind::foreign_local, site, -1, 0, size, flags));
    if (is_built_in(address)) return;  // clang shows us reads of threadIdx
    bool own_constants = address < data_end && address >= data_end - (256 << 20) && address < data_begin;
    if (own_constants && !(flags & WRITE)) return;
    return report_outside(address, size, flags, site);
  }
  size_t offset = static_cast<size_t>(address - region->begin);
  if (offset + size > region->size) return report_outside(address, size, flags, site);
  bool power = (size & (size - 1)) == 0 && size <= 16;
  size_t alignment = power ? size : size % 16 == 0 ? 16 : size % 4 == 0 ? 4 : 1;
  if (reinterpret_cast<uintptr_t>(address) % alignment && power) {
    report(fault_at(FaultKind::misaligned, site, region->memory, static_cast<int64_t>(offset), size, flags));
    if (launch.mode == Mode::profile) return;
  }
  if (launch.mode == Mode::profile)
    return profile::count(address, size, flags & WRITE, flags & ATOMIC, region->shared, region->memory, region->begin,
                          site);
  if (region->read_only && (flags & WRITE))
    report(fault_at(FaultKind::read_only, site, region->memory, static_cast<int64_t>(offset), size, flags));
  if ((flags & STRONG) && region->shared) flags &= ~STRONG;
  if (flags & (ATOMIC | STRONG)) hand_over(address);
  while (region->granule > 1 && (offset % region->granule || size % region->granule))
    refine(*region, region->granule / 2);
  for (size_t i = offset / region->granule; i <= (offset + size - 1) / region->granule; i++)
    check_cell(*region, region->cells[i], address, size, flags, site);
}

void free_regions() {
  for (auto &region : regions)
    if (region.cells) munmap(region.cells, region.cell_bytes);
  regions.clear();
}

}  // namespace

void settle() {
  if (bad_index.valid) settle_bad_index(nullptr, 0);
  auto writes = std::move(pending);
  pending.clear();
  for (auto &write : writes) {
    write.fault.note = std::memcmp(write.before, write.address, write.size) == 0;
    report(write.fault);
  }
}

void start_launch() {
  free_regions();
  pending.clear(), unchecked.clear(), releases.clear(), more_readers.clear();
  known_by_block = {};
  profile::start();
  add_region(dynamic_begin, launch.dynamic_shared, 4, -3, true);
  for (size_t i = 0; i < launch.buffers.size(); i++) {
    const Buffer &buffer = launch.buffers[i];
    add_region(buffer.begin, buffer.size, buffer.granule, static_cast<int>(i), false);
    regions.back().read_only = buffer.read_only, regions.back().poisoned = buffer.poisoned;
  }
  for (size_t i = 0; i < variables.size(); i++)
    add_region(variables[i].begin, variables[i].size, variables[i].size % 4 ? 1 : 4, -10 - static_cast<int>(i),
               i < shared_variables);
}

void start_block() {
  report_unchecked();
  more_readers.clear();
  known_by.clear(), known_by.resize(threads.size());
  known_by_block = {};
  for (auto &fences : fenced) fences.assign(threads.size(), {0, 0, false});
  for (auto &fences : fenced_by_block) fences = {};
  for (auto &thread : threads) {
    std::memset(thread.seen, 0, sizeof thread.seen);
    thread.seen[thread.lane] = 1;
  }
}

void order_lanes(unsigned number, unsigned lanes) {
  settle();
  const Warp &warp = warps[number];
  uint32_t latest[WARP] = {};
  Knowledge together;
  bool knowledge = false;
  for (unsigned rest = lanes; rest; rest &= rest - 1) {
    Thread &thread = threads[warp.first + __builtin_ctz(rest)];
    for (unsigned i = 0; i < WARP; i++) latest[i] = std::max(latest[i], thread.seen[i]);
    if (known_by[thread.number]) together.add(*known_by[thread.number]), knowledge = true;
  }
  for (unsigned rest = lanes; rest; rest &= rest - 1) {
    Thread &thread = threads[warp.first + __builtin_ctz(rest)];
    std::memcpy(thread.seen, latest, sizeof latest);
    thread.seen[thread.lane]++;
    if (knowledge) known_by[thread.number] = std::make_unique<Knowledge>(together);
  }
}

void order_block() {
  settle();
  more_readers.clear();
  for (auto &own : known_by)
    if (own) known_by_block.add(*own), own.reset();
  for (int scope = 0; scope < 2; scope++)
    for (size_t i = 0; i < threads.size(); i++)
      if (const Fenced &fence = fenced[scope][i]; fence.valid && fence.epoch == block_epoch)
        fenced_by_block[scope].add_thread(block_number + 1, static_cast<unsigned>(i), fence.epoch, fence.time);
  for (auto &thread : threads) {
    std::memset(thread.seen, 0, sizeof thread.seen);
    thread.seen[thread.lane] = 1;
  }
}

void warp_met(unsigned warp) {
  settle();
  if (launch.mode == Mode::profile) profile::warp_met(warp);
}

void note_fence(Scope scope) {
  Fenced fence{block_epoch, now(), true};
  fenced[static_cast<int>(Scope::block)][current->number] = fence;
  if (scope == Scope::device) fenced[static_cast<int>(Scope::device)][current->number] = fence;
  current->seen[current->lane]++;
}

void check_async_start(const AsyncCopy &copy) {
  if (copy.size > copy.zeros) access(const_cast<char *>(copy.source), copy.size - copy.zeros, 0, copy.where);
  access(copy.destination, copy.size, WRITE | (launch.mode == Mode::check ? IN_FLIGHT : 0), copy.where);
}

void check_async_end(const AsyncCopy &copy) {
  if (launch.mode != Mode::check) return;
  if (std::memcmp(copy.before, copy.source, copy.size - copy.zeros) != 0) {
    Region *source = find_region(copy.source);
    Fault fault = fault_at(FaultKind::async_copy, copy.where, source ? source->memory : -1,
                           source ? copy.source - source->begin : 0, copy.size, WRITE);
    fault.detail = 1;
    report(fault);
  }
  Region *region = find_region(copy.destination);
  if (!region) return;
  size_t first = static_cast<size_t>(copy.destination - region->begin) / region->granule;
  for (size_t i = 0; i < std::max<size_t>(copy.size / region->granule, 1); i++) {
    Stamp &write = region->cells[first + i].write;
    if (write.flags & IN_FLIGHT) write = stamp_here(copy.where, WRITE);
  }
}

void finish_launch() {
  settle();
  report_unchecked();
  if (launch.mode == Mode::check) {
    for (size_t b = 0; b < launch.buffers.size(); b++) {
      const Region &region = regions[1 + b];
      if (!launch.buffers[b].written) continue;
      for (size_t i = 0; i < region.size; i++) {
        const Cell &cell = region.cells[i / region.granule];
        launch.buffers[b].written[i] = (cell.write.block | cell.atomic.block) != 0;
      }
    }
  }
  free_regions();
}

}  // namespace checker

void note_atomic(const volatile void *address, int size, bool compares, Place where) {
  relax();  // before it counts as done
  if (launch.mode != Mode::plain)
    checker::access(const_cast<void *>(address), static_cast<size_t>(size),
                    checker::ATOMIC | checker::WRITE | (compares ? checker::COMPARES : 0u), where);
}

void note_access(const volatile void *address, size_t size, bool writes, Place where) {
  if (launch.mode != Mode::plain)
    checker::access(const_cast<void *>(address), size, writes ? checker::WRITE : 0u, where);
}

}  // namespace executor

// What the compiler's -fsanitize=thread calls. Addresses of instructions fit 31 bits: the program is linked that way.
using executor::checker::access;
#define SITE static_cast<uint32_t>(reinterpret_cast<uintptr_t>(__builtin_return_address(0)) - executor::image_base)
#define ACCESSES(SIZE)                                                                                \
  void __tsan_read##SIZE(void *p) { access(p, SIZE, 0, SITE); }                                       \
  void __tsan_write##SIZE(void *p) { access(p, SIZE, 1, SITE); }                                      \
  void __tsan_unaligned_read##SIZE(void *p) { access(p, SIZE, 0, SITE); }                             \
  void __tsan_unaligned_write##SIZE(void *p) { access(p, SIZE, 1, SITE); }                            \
  void __tsan_volatile_read##SIZE(void *p) { executor::relax(), access(p, SIZE, 4, SITE); }           \
  void __tsan_volatile_write##SIZE(void *p) { access(p, SIZE, 5, SITE); }                             \
  void __tsan_unaligned_volatile_read##SIZE(void *p) { executor::relax(), access(p, SIZE, 4, SITE); } \
  void __tsan_unaligned_volatile_write##SIZE(void *p) { access(p, SIZE, 5, SITE); }

extern "C" {
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)
void __tsan_read_range(void *p, size_t size) { access(p, size, 0, SITE); }
void __tsan_write_range(void *p, size_t size) { access(p, size, 1, SITE); }
void *__tsan_memcpy(void *to, const void *from, size_t size) {
  access(const_cast<void *>(from), size, 0, SITE);
  access(to, size, 1, SITE);
  return std::memcpy(to, from, size);
}
void *__tsan_memmove(void *to, const void *from, size_t size) {
  access(const_cast<void *>(from), size, 0, SITE);
  access(to, size, 1, SITE);
  return std::memmove(to, from, size);
}
void *__tsan_memset(void *to, int value, size_t size) {
  access(to, size, 1, SITE);
  return std::memset(to, value, size);
}
// What -fsanitize=bounds calls: the place in the source, the array's type, the index's type; then the index.
struct BoundsData {
  const char *file;
  uint32_t line, column;
  const struct Type {
    uint16_t kind, info;
    char name[1];
  } *array, *index;
};

void __ubsan_handle_out_of_bounds(const BoundsData *data, uintptr_t index) {
  using namespace executor;
  if (!current) return;
  if (checker::bad_index.valid) checker::settle_bad_index(nullptr, 0);
  bool is_int = data->index->info == 11;  // 32 bits, signed
  int64_t value = is_int ? static_cast<int32_t>(index) : static_cast<int64_t>(index);
  checker::bad_index = {current->number, place(data->line, data->column), value, data->array->name, true};
}

void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void **, void *) {}
void __tsan_vptr_read(void **) {}
}
