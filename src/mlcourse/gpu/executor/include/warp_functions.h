// Barriers, and what the lanes of a warp tell each other: shuffles, votes, matches, reductions.
#pragma once

inline void __syncthreads(EXECUTOR_PLACE) { executor::block_barrier(false, where); }

inline int __syncthreads_count(int predicate, EXECUTOR_PLACE) { return executor::block_barrier(predicate != 0, where); }

inline int __syncthreads_or(int predicate, EXECUTOR_PLACE) {
  return executor::block_barrier(predicate != 0, where) != 0;
}

inline int __syncthreads_and(int predicate, EXECUTOR_PLACE) {
  return executor::block_barrier(predicate == 0, where) == 0;
}

inline void __syncwarp(unsigned mask = 0xffffffff, EXECUTOR_PLACE) { executor::warp_barrier(mask, where); }

inline unsigned __activemask(EXECUTOR_PLACE) { return executor::active_lanes(where); }

namespace executor {

template <class T>
inline T shuffle(unsigned mask, T value, int source, Place where) {
  static_assert(sizeof(T) <= 8, "a shuffle moves at most 8 bytes of each lane");
  uint64_t bits = 0;
  __builtin_memcpy(&bits, &value, sizeof(T));
  bits = read_lane(mask, bits, source, where);
  __builtin_memcpy(&value, &bits, sizeof(T));
  return value;
}

// The first lane of the group of `width` lanes that this lane is in.
inline int first_lane(int width) { return (int)lane() & ~(width - 1); }

}  // namespace executor

template <class T>
inline T __shfl_sync(unsigned mask, T value, int source, int width = 32, EXECUTOR_PLACE) {
  return executor::shuffle(mask, value, executor::first_lane(width) + (source & (width - 1)), where);
}

template <class T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, EXECUTOR_PLACE) {
  int source = (int)executor::lane() - (int)delta;
  return executor::shuffle(mask, value, source < executor::first_lane(width) ? (int)executor::lane() : source, where);
}

template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, EXECUTOR_PLACE) {
  int source = (int)executor::lane() + (int)delta;
  bool outside = source >= executor::first_lane(width) + width;
  return executor::shuffle(mask, value, outside ? (int)executor::lane() : source, where);
}

template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, EXECUTOR_PLACE) {
  int source = (int)executor::lane() ^ bits;
  bool outside = source >= executor::first_lane(width) + width;
  return executor::shuffle(mask, value, outside ? (int)executor::lane() : source, where);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, EXECUTOR_PLACE) {
  return executor::ballot(mask, predicate != 0, where);
}

inline int __any_sync(unsigned mask, int predicate, EXECUTOR_PLACE) {
  return executor::ballot(mask, predicate != 0, where) != 0;
}

inline int __all_sync(unsigned mask, int predicate, EXECUTOR_PLACE) {
  return executor::ballot(mask, predicate == 0, where) == 0;
}

inline int __uni_sync(unsigned mask, int predicate, EXECUTOR_PLACE) {
  unsigned yes = executor::ballot(mask, predicate != 0, where);
  return yes == 0 || yes == mask;
}

template <class T>
inline unsigned __match_any_sync(unsigned mask, T value, EXECUTOR_PLACE) {
  uint64_t bits = 0;
  __builtin_memcpy(&bits, &value, sizeof(T));
  return executor::match_any(mask, bits, where);
}

template <class T>
inline unsigned __match_all_sync(unsigned mask, T value, int *same, EXECUTOR_PLACE) {
  uint64_t bits = 0;
  int all;
  __builtin_memcpy(&bits, &value, sizeof(T));
  unsigned lanes = executor::match_all(mask, bits, &all, where);
  *same = all;
  return lanes;
}

#define EXECUTOR_REDUCE(NAME, REDUCTION)                                                            \
  inline unsigned NAME(unsigned mask, unsigned value, EXECUTOR_PLACE) {                             \
    return (unsigned)executor::reduce_unsigned(mask, value, executor::Reduction::REDUCTION, where); \
  }

#define EXECUTOR_REDUCE_SIGNED(NAME, REDUCTION)                                              \
  EXECUTOR_REDUCE(NAME, REDUCTION)                                                           \
  inline int NAME(unsigned mask, int value, EXECUTOR_PLACE) {                                \
    return (int)executor::reduce_signed(mask, value, executor::Reduction::REDUCTION, where); \
  }

EXECUTOR_REDUCE_SIGNED(__reduce_add_sync, add)
EXECUTOR_REDUCE_SIGNED(__reduce_min_sync, min)
EXECUTOR_REDUCE_SIGNED(__reduce_max_sync, max)
EXECUTOR_REDUCE(__reduce_and_sync, bit_and)
EXECUTOR_REDUCE(__reduce_or_sync, bit_or)
EXECUTOR_REDUCE(__reduce_xor_sync, bit_xor)
