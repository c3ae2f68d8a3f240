// What a kernel calls in the executor's runtime. Everything here is implemented in ../runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#if !defined(__clang__)
#include <source_location>
#endif

// The compiler's thread sanitizer calls us before every access to memory. Functions that work on behalf of the
// hardware, such as an atomic, tell us themselves what they access, and are hidden from the sanitizer.
#ifdef EXECUTOR_CHECKED
#define EXECUTOR_HIDDEN __attribute__((no_sanitize("thread"), noinline))
#else
#define EXECUTOR_HIDDEN __attribute__((always_inline)) inline
#endif

namespace executor {

// A place in the learner's source in 31 bits: line and column. The highest bit tells it from an instruction's address.
using Place = uint32_t;

constexpr Place place(unsigned line, unsigned column) {
  return 0x80000000u | (line & 0x1fffff) << 10 | (column < 1023 ? column : 1023);
}

// As the last parameter of a function: where it is called.
#if defined(__clang__)
#define EXECUTOR_PLACE ::executor::Place where = ::executor::place(__builtin_LINE(), __builtin_COLUMN())
#else
constexpr Place place(const std::source_location &where) { return place(where.line(), where.column()); }
#define EXECUTOR_PLACE ::executor::Place where = ::executor::place(std::source_location::current())
#endif

enum class Vote { none, any, all, count };
enum class Collective { sync, shuffle, vote, match, reduce, exchange };
enum class Reduction { add, min, max, bit_and, bit_or, bit_xor };
enum class Scope { block, device };

// A barrier of the whole block. The result counts the threads whose predicate is true.
int block_barrier(bool predicate, Place where);
void warp_barrier(unsigned mask, Place where);

// Warp functions: every lane of the mask brings a value. A lane that does not take part has the value `poison`.
uint64_t read_lane(unsigned mask, uint64_t value, int lane, Place where);
unsigned ballot(unsigned mask, bool predicate, Place where);
unsigned match_any(unsigned mask, uint64_t value, Place where);
unsigned match_all(unsigned mask, uint64_t value, int *same, Place where);
uint64_t reduce_unsigned(unsigned mask, uint32_t value, Reduction reduction, Place where);
int64_t reduce_signed(unsigned mask, int32_t value, Reduction reduction, Place where);
void *const *exchange_pointers(unsigned mask, void *pointer, Place where);
unsigned active_lanes(Place where);

// Before an atomic operation; after a fence; before an access that the sanitizer does not see.
void note_atomic(const volatile void *address, int size, bool compares, Place where);
void note_access(const volatile void *address, size_t size, bool writes, Place where);
void fence(Scope scope);
void relax();  // in a loop that waits: lets other threads go on

// A matrix of wmma begins at a multiple of 32 bytes, and its rows at multiples of 16. Until the end a warp accesses
// it as one: what it has loaded it may store over.
void begin_matrix(const void *matrix, size_t stride, Place where);
void end_matrix(Place where);

void async_copy(void *destination, const void *source, size_t size, size_t zeros, Place where);
void async_commit();
void async_wait(unsigned groups_in_flight);

[[noreturn]] void trap(const char *why, Place where);
int print(const char *format, ...) __attribute__((format(printf, 1, 2)));

unsigned lane();

}  // namespace executor
