// What the parts of the runtime share: the threads of the running block, the launch, and the checker's interface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "../include/executor.h"

struct uint3 {
  unsigned x, y, z;
};

namespace executor {

constexpr unsigned WARP = 32;
constexpr unsigned MAX_THREADS = 1024;

enum class State : uint8_t { fresh, ready, spinning, at_block, at_warp, at_active, done };
enum class Mode { plain, check, profile };
enum class Order { forward, reverse, random };

// A stack on which kernel threads run, one after another until one of them has to wait on it.
struct Carrier {
  void *stack_pointer;
  char *stack;  // lowest address
};

struct AsyncCopy {
  char *destination;
  const char *source;
  size_t size, zeros;
  Place where;
  unsigned group;
  char before[16];  // what the source held when the copy began
};

// One CUDA thread of the running block.
struct Thread {
  uint3 index;
  unsigned number, lane, warp;  // number: within the block
  State state;
  Carrier *carrier;
  Place where;  // of the barrier or warp function it waits in
  Collective collective;
  unsigned mask;              // of the warp function
  unsigned present;           // lanes that took part
  bool predicate, in_matrix;  // in_matrix: its accesses are those of a wmma load or store
  uint64_t value;
  uint32_t seen[WARP];  // for each lane of the warp the time up to which its accesses are ordered before ours; own: now
  unsigned spins;
  unsigned async_group;
  std::vector<AsyncCopy> async_copies;
  std::vector<uint32_t> occurrences;  // of each place in the code that accesses memory, since the warp last met
  uint32_t fence_block_epoch[2], fence_time[2];
};

struct Warp {
  unsigned first, size;  // threads
  unsigned alive;        // lanes that have not returned
  uint64_t value[WARP];
};

// An array argument, or the variables of the kernel.
struct Buffer {
  char *begin;
  size_t size;
  unsigned granule;  // bytes of an element
  bool read_only;
  bool poisoned;     // nothing in it may be read before it is written
  uint8_t *written;  // a byte for each element, for the answer
};

struct Variable {
  char *begin;
  size_t size;
};

struct Launch {
  Mode mode;
  uint3 grid, block;
  size_t dynamic_shared;
  Order block_order, warp_order;
  unsigned seed;
  double seconds;
  size_t trace_limit;
  std::vector<Buffer> buffers;
};

extern Launch launch;
extern std::vector<Thread> threads;
extern std::vector<Warp> warps;
extern Thread *current;
extern unsigned block_number, block_epoch;
extern std::vector<Variable> variables;  // shared variables, then globals
extern size_t shared_variables;
extern char *shared_begin, *shared_end, *dynamic_begin;
extern char *data_begin, *data_end;  // what the program may write to of itself
extern uintptr_t image_base;
extern uint32_t last_site;  // of a barrier, a warp function, or an access that the checker saw

constexpr size_t DYNAMIC_SHARED_MAXIMUM = 232448;  // of compute capability 9.0, the largest so far
constexpr size_t STACK_SIZE = 256 << 10;

enum class FaultKind {
  race,
  out_of_bounds,
  misaligned,
  uninitialized,
  divergent_barrier,
  early_exit,
  deadlock,
  warp_function,
  async_copy,
  foreign_local,
  read_only,
  trap,
};

// Who met whom, where. A site is a Place or the address of an instruction.
struct Fault {
  FaultKind kind;
  uint32_t site = 0, other_site = 0;
  uint64_t count = 1;
  uint32_t block = 0, thread = 0, other_block = 0, other_thread = 0;
  int memory = -1;  // a buffer; -3: dynamic shared memory; -5: an array of that type; -10 - i: a variable
  int64_t offset = 0;
  uint64_t size = 0;
  int operation = 0, other_operation = 0;
  int64_t detail = 0;
  bool note = false;
};

extern std::vector<Fault> faults;
extern std::string abandoned_because;
void report(Fault fault);
Fault fault_here(FaultKind kind, uint32_t site);
[[noreturn]] void abandon(const std::string &why);  // ends the launch
void run(void **arguments);
bool in_a_stack(const char *address);
bool is_built_in(const char *address);

namespace checker {
void start_launch();
void start_block();
void order_lanes(unsigned warp, unsigned lanes);  // after __syncwarp
void order_block();                               // after __syncthreads
void warp_met(unsigned warp);                     // requests counted until now are complete
void settle();
void note_fence(Scope scope);
void check_async_start(const AsyncCopy &copy);
void check_async_end(const AsyncCopy &copy);
void finish_launch();
}  // namespace checker

}  // namespace executor
