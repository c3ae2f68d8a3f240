// Runs the threads of a block in turns: each until it returns or has to wait for others at a barrier or in a warp
// function. What it waits for is decided here, and so is who goes next.
#include "runtime.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <unordered_map>

#include "switch.h"

extern "C" {
uint3 threadIdx, blockIdx, blockDim, gridDim;
void executor_call(void **arguments);  // in the compiled kernel
}

namespace executor {

Launch launch;
std::vector<Thread> threads;
std::vector<Warp> warps;
Thread *current;
unsigned block_number, block_epoch;
std::vector<Fault> faults;
std::string abandoned_because;

namespace {

struct Abandoned {};

void *scheduler;
void **kernel_arguments;
bool abandoned;
std::vector<std::unique_ptr<Carrier>> carriers;
std::vector<Carrier *> idle_carriers;
std::unordered_map<std::string, size_t> fault_index;
std::mt19937 generator;
unsigned barrier_count;  // predicates that were true at the last block barrier
size_t printed;

constexpr size_t PRINT_LIMIT = 1 << 20;
constexpr size_t FAULT_LIMIT = 500;
constexpr unsigned SPIN_LIMIT = 2000;

void wait_as(State state) {
  current->state = state;
  executor_switch(&current->carrier->stack_pointer, scheduler);
}

void carry() {
  for (;;) {
    executor_call(kernel_arguments);
    for (auto &copy : current->async_copies) std::memcpy(copy.destination, copy.source, copy.size - copy.zeros);
    warps[current->warp].alive &= ~(1u << current->lane);
    wait_as(State::done);
  }
}

// Stacks begin at different offsets, or the threads' variables would compete for the same lines of the cache.
void prepare(Carrier &carrier, size_t number) {
  carrier.stack_pointer = prepare_stack(carrier.stack, STACK_SIZE - number * 320 % 16384, carry);
}

Carrier *new_carrier() {
  size_t guard = static_cast<size_t>(getpagesize());
  void *memory =
      mmap(nullptr, STACK_SIZE + guard, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) abandon("the system has no memory for the stacks of so many threads");
  mprotect(memory, guard, PROT_NONE);
  carriers.push_back(std::make_unique<Carrier>(Carrier{nullptr, static_cast<char *>(memory) + guard}));
  prepare(*carriers.back(), carriers.size());
  return carriers.back().get();
}

void reset_carriers() {
  idle_carriers.clear();
  for (size_t i = 0; i < carriers.size(); i++) {
    prepare(*carriers[i], i);
    idle_carriers.push_back(carriers[i].get());
  }
}

void resume(Thread &thread) {
  if (thread.state == State::fresh) {
    if (idle_carriers.empty()) idle_carriers.push_back(new_carrier());
    thread.carrier = idle_carriers.back();
    idle_carriers.pop_back();
  }
  thread.state = State::ready;
  thread.spins = 0;
  current = &thread;
  threadIdx = thread.index;
  executor_switch(&scheduler, thread.carrier->stack_pointer);
  current = nullptr;
  if (abandoned) throw Abandoned{};
  if (thread.state == State::done) idle_carriers.push_back(thread.carrier);
}

template <class T>
void put_in_order(std::vector<T> &items) {
  if (launch.warp_order == Order::reverse) std::reverse(items.begin(), items.end());
  if (launch.warp_order != Order::random) return;
  for (size_t i = items.size(); i > 1; i--) std::swap(items[i - 1], items[generator() % i]);
}

Thread &thread_of(const Warp &warp, unsigned lane) { return threads[warp.first + lane]; }

unsigned lanes_in(const Warp &warp, State state) {
  unsigned lanes = 0;
  for (unsigned lane = 0; lane < warp.size; lane++)
    if (thread_of(warp, lane).state == state) lanes |= 1u << lane;
  return lanes;
}

void check_same_function(const Warp &warp, unsigned lanes) {
  Thread &first = thread_of(warp, __builtin_ctz(lanes));
  for (unsigned lane = 0; lane < warp.size; lane++) {
    Thread &other = thread_of(warp, lane);
    if (!(lanes >> lane & 1)) continue;
    bool both_sync = first.collective == Collective::sync && other.collective == Collective::sync;
    if (other.where == first.where || both_sync) continue;
    Fault fault{.kind = FaultKind::warp_function, .site = first.where, .other_site = other.where};
    fault.block = fault.other_block = block_number;
    fault.thread = first.number, fault.other_thread = other.number;
    fault.detail = 2;
    report(fault);
    return;
  }
}

// Lets the lanes go on that wait for each other and are all there.
bool release_warp(Warp &warp) {
  bool released = false;
  for (unsigned waiting = lanes_in(warp, State::at_warp); waiting;) {
    unsigned mask = thread_of(warp, __builtin_ctz(waiting)).mask, together = 0;
    for (unsigned lane = 0; lane < warp.size; lane++)
      if (waiting >> lane & 1 && thread_of(warp, lane).mask == mask) together |= 1u << lane;
    waiting &= ~together;
    if ((mask & warp.alive) != together) continue;
    check_same_function(warp, together);
    bool sync = thread_of(warp, __builtin_ctz(together)).collective == Collective::sync;
    for (unsigned lane = 0; lane < warp.size; lane++) {
      if (!(together >> lane & 1)) continue;
      Thread &thread = thread_of(warp, lane);
      warp.value[lane] = thread.value;
      thread.present = together;
      thread.state = State::ready;
    }
    if (launch.mode != Mode::plain) {
      unsigned number = static_cast<unsigned>(&warp - warps.data());
      if (sync) checker::order_lanes(number, together);
      if (together == warp.alive) checker::warp_met(number);
    }
    released = true;
  }
  return released;
}

// __activemask() finds those lanes together that arrive at the same call while the others wait elsewhere.
bool release_active(Warp &warp) {
  unsigned waiting = lanes_in(warp, State::at_active);
  bool released = waiting != 0;
  while (waiting) {
    Place where = thread_of(warp, __builtin_ctz(waiting)).where;
    unsigned together = 0;
    for (unsigned lane = 0; lane < warp.size; lane++)
      if (waiting >> lane & 1 && thread_of(warp, lane).where == where) together |= 1u << lane;
    for (unsigned lane = 0; lane < warp.size; lane++)
      if (together >> lane & 1) thread_of(warp, lane).present = together, thread_of(warp, lane).state = State::ready;
    waiting &= ~together;
  }
  return released;
}

void run_warp(Warp &warp, std::vector<unsigned> &lane_order) {
  bool spinning = false;
  for (unsigned lane = 0; lane < warp.size; lane++)
    if (thread_of(warp, lane).state == State::spinning) thread_of(warp, lane).state = State::ready;
  do {
    for (unsigned lane : lane_order) {
      if (lane >= warp.size) continue;
      Thread &thread = thread_of(warp, lane);
      if (thread.state == State::fresh || thread.state == State::ready) resume(thread);
      spinning |= thread.state == State::spinning;
    }
  } while (release_warp(warp) || release_active(warp));
  if (launch.mode != Mode::plain && !spinning) checker::warp_met(static_cast<unsigned>(&warp - warps.data()));
}

void report_deadlock() {
  for (auto &warp : warps) {
    unsigned waiting = lanes_in(warp, State::at_warp);
    if (!waiting) continue;
    Thread &thread = thread_of(warp, __builtin_ctz(waiting));
    unsigned missing = thread.mask & warp.alive;
    for (unsigned lane = 0; lane < warp.size; lane++)
      if (waiting >> lane & 1 && thread_of(warp, lane).mask == thread.mask) missing &= ~(1u << lane);
    Fault fault{.kind = FaultKind::deadlock, .site = thread.where};
    fault.block = fault.other_block = block_number;
    fault.thread = thread.number;
    if (missing) {
      Thread &other = thread_of(warp, __builtin_ctz(missing));
      fault.other_thread = other.number;
      fault.other_site = other.where;
      fault.detail = missing;
    }
    report(fault);
  }
  abandoned_because = "deadlock";
  throw Abandoned{};
}

// All threads that have not returned wait at a barrier: was it the same one, and are they all there?
void check_barrier(unsigned done) {
  Thread *first = nullptr, *returned = nullptr;
  for (auto &thread : threads) {
    if (thread.state == State::done) {
      if (!returned) returned = &thread;
      continue;
    }
    if (!first) first = &thread;
    if (thread.where == first->where) continue;
    Fault fault{.kind = FaultKind::divergent_barrier, .site = first->where, .other_site = thread.where};
    fault.block = fault.other_block = block_number;
    fault.thread = first->number, fault.other_thread = thread.number;
    report(fault);
    break;
  }
  if (!done) return;
  Fault fault{.kind = FaultKind::early_exit, .site = first->where};
  fault.block = fault.other_block = block_number;
  fault.thread = first->number, fault.other_thread = returned->number;
  fault.detail = done;
  report(fault);
}

void release_block(unsigned done) {
  check_barrier(done);
  barrier_count = 0;
  for (auto &thread : threads) barrier_count += thread.state == State::at_block && thread.predicate;
  for (auto &thread : threads)
    if (thread.state == State::at_block) thread.state = State::ready;
  if (launch.mode != Mode::plain) checker::order_block();
  block_epoch++;
}

void start_block(unsigned number) {
  block_number = number;
  block_epoch = 0;
  blockIdx = {number % launch.grid.x, number / launch.grid.x % launch.grid.y, number / launch.grid.x / launch.grid.y};
  for (auto &warp : warps) warp.alive = warp.size == WARP ? ~0u : (1u << warp.size) - 1;
  for (auto &thread : threads) {
    thread.state = State::fresh;
    thread.async_group = 0;
    thread.async_copies.clear();
  }
  std::memset(shared_begin, 0xff, static_cast<size_t>(shared_end - shared_begin));
  std::memset(dynamic_begin, 0xff, launch.dynamic_shared);
  if (launch.mode != Mode::plain) checker::start_block();
}

void run_block(unsigned number) {
  start_block(number);
  std::vector<unsigned> warp_order(warps.size()), lane_order(WARP);
  for (unsigned i = 0; i < warps.size(); i++) warp_order[i] = i;
  for (unsigned i = 0; i < WARP; i++) lane_order[i] = i;
  if (launch.warp_order == Order::reverse) std::reverse(lane_order.begin(), lane_order.end());
  for (bool first = true;; first = false) {
    if (first || launch.warp_order == Order::random) put_in_order(warp_order);
    for (unsigned warp : warp_order) {
      if (launch.warp_order == Order::random) put_in_order(lane_order);
      run_warp(warps[warp], lane_order);
    }
    unsigned done = 0, at_block = 0, spinning = 0;
    for (auto &thread : threads) {
      done += thread.state == State::done;
      at_block += thread.state == State::at_block;
      spinning += thread.state == State::spinning;
    }
    if (done == threads.size()) return;
    if (done + at_block == threads.size())
      release_block(done);
    else if (!spinning)
      report_deadlock();
  }
}

void set_up_threads() {
  blockDim = launch.block, gridDim = launch.grid;
  unsigned count = launch.block.x * launch.block.y * launch.block.z;
  threads.assign(count, Thread{});
  warps.assign((count + WARP - 1) / WARP, Warp{});
  for (unsigned i = 0; i < count; i++) {
    Thread &thread = threads[i];
    thread.index = {i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y};
    thread.number = i, thread.lane = i % WARP, thread.warp = i / WARP;
  }
  for (unsigned w = 0; w < warps.size(); w++)
    warps[w].first = w * WARP, warps[w].size = std::min(WARP, count - w * WARP);
}

std::vector<unsigned> order_of_blocks() {
  std::vector<unsigned> order(launch.grid.x * launch.grid.y * launch.grid.z);
  for (unsigned i = 0; i < order.size(); i++) order[i] = i;
  if (launch.block_order == Order::reverse) std::reverse(order.begin(), order.end());
  if (launch.block_order == Order::random)
    for (size_t i = order.size(); i > 1; i--) std::swap(order[i - 1], order[generator() % i]);
  return order;
}

unsigned rendezvous(Collective collective, unsigned mask, uint64_t value, Place where) {
  current->where = last_site = where;
  if (!(mask >> current->lane & 1)) {
    Fault fault = fault_here(FaultKind::warp_function, where);
    fault.detail = 1;
    report(fault);
    abandon("a lane is not in the mask of its own warp function");
  }
  current->collective = collective;
  current->mask = mask;
  current->value = value;
  wait_as(State::at_warp);
  return current->present;
}

const uint64_t *values() { return warps[current->warp].value; }

template <class T>
T reduce(unsigned present, Reduction reduction) {
  T result{};
  bool first = true;
  for (unsigned lane = 0; lane < WARP; lane++) {
    if (!(present >> lane & 1)) continue;
    T value = static_cast<T>(values()[lane]);
    if (first)
      result = value;
    else if (reduction == Reduction::add)
      result = result + value;
    else if (reduction == Reduction::min)
      result = std::min(result, value);
    else if (reduction == Reduction::max)
      result = std::max(result, value);
    else if (reduction == Reduction::bit_and)
      result = result & value;
    else if (reduction == Reduction::bit_or)
      result = result | value;
    else
      result = result ^ value;
    first = false;
  }
  return result;
}

}  // namespace

void run(void **arguments) {
  kernel_arguments = arguments;
  faults.clear(), fault_index.clear(), abandoned_because.clear();
  abandoned = false;
  printed = 0;
  generator.seed(launch.seed);
  set_up_threads();
  reset_carriers();
  if (launch.mode != Mode::plain) checker::start_launch();
  try {
    for (unsigned number : order_of_blocks()) run_block(number);
  } catch (Abandoned) {
  }
  current = nullptr;
  if (launch.mode != Mode::plain) checker::finish_launch();
}

bool in_a_stack(const char *address) {
  auto inside = [&](auto &carrier) { return address >= carrier->stack && address < carrier->stack + STACK_SIZE; };
  return std::any_of(carriers.begin(), carriers.end(), inside);
}

bool is_built_in(const char *address) {
  for (uint3 *variable : {&threadIdx, &blockIdx, &blockDim, &gridDim}) {
    auto *begin = reinterpret_cast<const char *>(variable);
    if (address >= begin && address < begin + sizeof(uint3)) return true;
  }
  return false;
}

Fault fault_here(FaultKind kind, uint32_t site) {
  Fault fault{.kind = kind, .site = site};
  fault.block = block_number;
  fault.thread = current ? current->number : 0;
  return fault;
}

void report(Fault fault) {
  char key[120];
  snprintf(key, sizeof key, "%d %u %u %d %d", static_cast<int>(fault.kind), fault.site, fault.other_site, fault.memory,
           fault.note);
  auto [found, is_new] = fault_index.try_emplace(key, faults.size());
  if (!is_new)
    faults[found->second].count += fault.count;
  else if (faults.size() < FAULT_LIMIT)
    faults.push_back(fault);
  else
    fault_index.erase(found);
}

void abandon(const std::string &why) {
  abandoned = true;
  abandoned_because = why;
  if (!current) throw Abandoned{};
  executor_switch(&current->carrier->stack_pointer, scheduler);
  std::abort();
}

int block_barrier(bool predicate, Place where) {
  current->where = last_site = where;
  current->predicate = predicate;
  wait_as(State::at_block);
  return static_cast<int>(barrier_count);
}

void warp_barrier(unsigned mask, Place where) { rendezvous(Collective::sync, mask, 0, where); }

uint64_t read_lane(unsigned mask, uint64_t value, int lane, Place where) {
  unsigned present = rendezvous(Collective::shuffle, mask, value, where);
  if (lane == static_cast<int>(current->lane)) return value;
  lane &= 31;
  if (present >> lane & 1) return values()[lane];
  Fault fault = fault_here(FaultKind::warp_function, where);
  fault.detail = 16 + lane;
  report(fault);
  return ~0ull;
}

unsigned ballot(unsigned mask, bool predicate, Place where) {
  unsigned present = rendezvous(Collective::vote, mask, predicate, where), lanes = 0;
  for (unsigned lane = 0; lane < WARP; lane++)
    if (present >> lane & 1 && values()[lane]) lanes |= 1u << lane;
  return lanes;
}

unsigned match_any(unsigned mask, uint64_t value, Place where) {
  unsigned present = rendezvous(Collective::match, mask, value, where), lanes = 0;
  for (unsigned lane = 0; lane < WARP; lane++)
    if (present >> lane & 1 && values()[lane] == value) lanes |= 1u << lane;
  return lanes;
}

unsigned match_all(unsigned mask, uint64_t value, int *same, Place where) {
  unsigned equal = match_any(mask, value, where);
  *same = equal == current->present;
  return *same ? equal : 0;
}

uint64_t reduce_unsigned(unsigned mask, uint32_t value, Reduction reduction, Place where) {
  unsigned present = rendezvous(Collective::reduce, mask, value, where);
  return reduce<uint32_t>(present, reduction);
}

int64_t reduce_signed(unsigned mask, int32_t value, Reduction reduction, Place where) {
  unsigned present = rendezvous(Collective::reduce, mask, static_cast<uint32_t>(value), where);
  return reduction == Reduction::add ? static_cast<int32_t>(reduce<uint32_t>(present, reduction))
                                     : reduce<int32_t>(present, reduction);
}

void *const *exchange_pointers(unsigned mask, void *pointer, Place where) {
  unsigned present = rendezvous(Collective::exchange, mask, reinterpret_cast<uint64_t>(pointer), where);
  if (present != mask) {
    Fault fault = fault_here(FaultKind::warp_function, where);
    fault.detail = 3;
    report(fault);
    abandon("a matrix operation with lanes missing");
  }
  return reinterpret_cast<void *const *>(values());
}

unsigned active_lanes(Place where) {
  current->where = last_site = where;
  wait_as(State::at_active);
  return current->present;
}

void relax() {
  if (current->spins++ > SPIN_LIMIT) wait_as(State::spinning);
}

void fence(Scope scope) {
  if (launch.mode != Mode::plain) checker::note_fence(scope);
}

void async_copy(void *destination, const void *source, size_t size, size_t zeros, Place where) {
  if ((size != 4 && size != 8 && size != 16) || zeros > size)
    trap("an asynchronous copy moves 4, 8 or 16 bytes", where);
  AsyncCopy copy{static_cast<char *>(destination),
                 static_cast<const char *>(source),
                 size,
                 zeros,
                 where,
                 current->async_group,
                 {}};
  if (launch.mode != Mode::plain) checker::check_async_start(copy);
  std::memcpy(copy.before, source, size - zeros);
  current->async_copies.push_back(copy);
}

void begin_matrix(const void *matrix, size_t stride, Place where) {
  current->in_matrix = true;
  if (reinterpret_cast<uintptr_t>(matrix) % 32 == 0 && stride % 16 == 0) return;
  Fault fault = fault_here(FaultKind::misaligned, where);
  fault.detail = static_cast<int64_t>(stride);
  report(fault);
}

void end_matrix(Place where) {
  current->in_matrix = false;
  ballot(~0u, true, where);
}

void async_commit() { current->async_group++; }

void async_wait(unsigned groups_in_flight) {
  auto &copies = current->async_copies;
  size_t kept = 0;
  for (auto &copy : copies) {
    if (copy.group + groups_in_flight >= current->async_group) {
      copies[kept++] = copy;
      continue;
    }
    std::memcpy(copy.destination, copy.source, copy.size - copy.zeros);
    std::memset(copy.destination + copy.size - copy.zeros, 0, copy.zeros);
    if (launch.mode != Mode::plain) checker::check_async_end(copy);
  }
  copies.resize(kept);
}

void trap(const char *why, Place where) {
  Fault fault = fault_here(FaultKind::trap, where);
  report(fault);
  abandon(why);
}

int print(const char *format, ...) {
  va_list values;
  va_start(values, format);
  int length = printed < PRINT_LIMIT ? vfprintf(stderr, format, values) : 0;
  va_end(values);
  printed += static_cast<size_t>(std::max(length, 0));
  if (length > 0 && printed >= PRINT_LIMIT)
    fputs("\n[the kernel printed more than 1 MB; the rest is left out]\n", stderr);
  return length;
}

unsigned lane() { return current->lane; }

}  // namespace executor

long long clock64() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

extern "C" [[noreturn]] void __assert_fail(const char *condition, const char *, unsigned line, const char *) {
  executor::trap((std::string("assertion failed: ") + condition).c_str(), executor::place(line, 0));
}
