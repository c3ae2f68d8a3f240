// Groups of threads as objects: the block, tiles of a warp, and the lanes that happen to be together.
#pragma once

#include "cuda_on_cpu.h"

namespace cooperative_groups {

inline unsigned rank_in_block() { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }

// Any of the groups below: the whole block, or lanes of one warp.
struct thread_group {
  unsigned mask = 0;  // of the lanes; 0: the block

  void sync(EXECUTOR_PLACE) const {
    if (mask)
      executor::warp_barrier(mask, where);
    else
      executor::block_barrier(false, where);
  }
  unsigned size() const { return mask ? (unsigned)__builtin_popcount(mask) : blockDim.x * blockDim.y * blockDim.z; }
  unsigned num_threads() const { return size(); }
  unsigned thread_rank() const {
    return mask ? (unsigned)__builtin_popcount(mask & ((1u << executor::lane()) - 1)) : rank_in_block();
  }
};

struct thread_block : thread_group {
  static void sync(EXECUTOR_PLACE) { executor::block_barrier(false, where); }
  static unsigned thread_rank() { return rank_in_block(); }
  static unsigned size() { return blockDim.x * blockDim.y * blockDim.z; }
  static unsigned num_threads() { return size(); }
  static dim3 group_index() { return blockIdx; }
  static dim3 thread_index() { return threadIdx; }
  static dim3 group_dim() { return blockDim; }
  static dim3 dim_threads() { return blockDim; }
};

struct grid_group {
  static unsigned long long thread_rank() {
    unsigned long long block = blockIdx.x + (unsigned long long)gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    return block * thread_block::size() + thread_block::thread_rank();
  }
  static unsigned long long size() {
    return (unsigned long long)gridDim.x * gridDim.y * gridDim.z * thread_block::size();
  }
  static unsigned long long num_threads() { return size(); }
  static bool is_valid() { return false; }
  static dim3 group_dim() { return gridDim; }
  template <class T = void>
  static void sync() {
    static_assert(!std::is_void_v<T>,
                  "the executor runs one block after the other: a grid cannot wait for all of its blocks");
  }
};

inline thread_block this_thread_block() { return {}; }
inline grid_group this_grid() { return {}; }

// Lanes of one warp, named by a mask: what the groups that are parts of a warp can do.
struct lane_group : thread_group {
  explicit lane_group(unsigned mask) : thread_group{mask} {}

  template <class T>
  T shfl(T value, int rank, EXECUTOR_PLACE) const {
    return executor::shuffle(mask, value, lane_of(rank & ((int)size() - 1 | (is_power() ? 0 : ~0))), where);
  }
  template <class T>
  T shfl_down(T value, unsigned delta, EXECUTOR_PLACE) const {
    unsigned rank = thread_rank() + delta;
    return executor::shuffle(mask, value, rank < size() ? lane_of((int)rank) : (int)executor::lane(), where);
  }
  template <class T>
  T shfl_up(T value, unsigned delta, EXECUTOR_PLACE) const {
    int rank = (int)thread_rank() - (int)delta;
    return executor::shuffle(mask, value, rank >= 0 ? lane_of(rank) : (int)executor::lane(), where);
  }
  template <class T>
  T shfl_xor(T value, unsigned bits, EXECUTOR_PLACE) const {
    unsigned rank = thread_rank() ^ bits;
    return executor::shuffle(mask, value, rank < size() ? lane_of((int)rank) : (int)executor::lane(), where);
  }
  int any(int predicate, EXECUTOR_PLACE) const { return executor::ballot(mask, predicate != 0, where) != 0; }
  int all(int predicate, EXECUTOR_PLACE) const { return executor::ballot(mask, predicate == 0, where) == 0; }
  unsigned ballot(int predicate, EXECUTOR_PLACE) const {
    return to_ranks(executor::ballot(mask, predicate != 0, where));
  }
  template <class T>
  unsigned match_any(T value, EXECUTOR_PLACE) const {
    uint64_t bits = 0;
    __builtin_memcpy(&bits, &value, sizeof(T));
    return to_ranks(executor::match_any(mask, bits, where));
  }
  template <class T>
  unsigned match_all(T value, int &same, EXECUTOR_PLACE) const {
    unsigned ranks = match_any(value, where), all = size() == 32 ? ~0u : (1u << size()) - 1;
    same = ranks == all;
    return same ? ranks : 0;
  }

 private:
  bool is_power() const { return (size() & (size() - 1)) == 0; }

  int lane_of(int rank) const {
    unsigned rest = mask;
    for (; rank > 0 && rest; rank--) rest &= rest - 1;
    return rest ? __builtin_ctz(rest) : (int)executor::lane();
  }

  unsigned to_ranks(unsigned lanes) const {
    unsigned ranks = 0, rank = 0;
    for (unsigned rest = mask; rest; rest &= rest - 1, rank++)
      if (lanes >> __builtin_ctz(rest) & 1) ranks |= 1u << rank;
    return ranks;
  }
};

struct coalesced_group : lane_group {
  using lane_group::lane_group;
};

inline coalesced_group coalesced_threads(EXECUTOR_PLACE) { return coalesced_group(executor::active_lanes(where)); }

template <unsigned Size, class Parent = void>
struct thread_block_tile : lane_group {
  static_assert(Size >= 1 && Size <= 32 && (Size & (Size - 1)) == 0, "a tile has 1, 2, 4, 8, 16 or 32 threads");
  thread_block_tile() : lane_group((Size == 32 ? ~0u : (1u << (Size & 31)) - 1) << (executor::lane() & ~(Size - 1))) {}
  template <class Other>
  thread_block_tile(const thread_block_tile<Size, Other> &) : thread_block_tile() {}
  static constexpr unsigned size() { return Size; }
  static constexpr unsigned num_threads() { return Size; }
  static unsigned thread_rank() { return executor::lane() & (Size - 1); }
  static unsigned meta_group_rank() { return thread_block::thread_rank() / Size; }
  static unsigned meta_group_size() { return (thread_block::size() + Size - 1) / Size; }
};

template <unsigned Size, class Parent>
inline thread_block_tile<Size, Parent> tiled_partition(const Parent &) {
  return {};
}

// A size that is known only when the kernel runs: a power of 2 up to 32. Counted in ranks, as the parent counts.
inline thread_group tiled_partition(const thread_group &parent, unsigned size, EXECUTOR_PLACE) {
  if (size == 0 || size > 32 || (size & (size - 1))) executor::trap("a tile has 1, 2, 4, 8, 16 or 32 threads", where);
  unsigned tile = parent.thread_rank() / size, rank = 0, lanes = 0;
  if (!parent.mask) return {(size == 32 ? ~0u : (1u << size) - 1) << (executor::lane() & ~(size - 1))};
  for (unsigned rest = parent.mask; rest; rest &= rest - 1, rank++)
    if (rank / size == tile) lanes |= rest & -rest;
  return {lanes};
}

// Those threads of a group that bring the same label.
template <class Label>
inline coalesced_group labeled_partition(const lane_group &group, Label label, EXECUTOR_PLACE) {
  return coalesced_group(executor::match_any(group.mask, (uint64_t)label, where));
}

inline coalesced_group binary_partition(const lane_group &group, bool predicate, EXECUTOR_PLACE) {
  return labeled_partition(group, predicate, where);
}

template <class T>
struct plus {
  T operator()(T a, T b) const { return a + b; }
};
template <class T>
struct less {
  T operator()(T a, T b) const { return b < a ? b : a; }
};
template <class T>
struct greater {
  T operator()(T a, T b) const { return a < b ? b : a; }
};
template <class T>
struct bit_and {
  T operator()(T a, T b) const { return a & b; }
};
template <class T>
struct bit_or {
  T operator()(T a, T b) const { return a | b; }
};
template <class T>
struct bit_xor {
  T operator()(T a, T b) const { return a ^ b; }
};

// Every thread of the group gets the result over all of them.
template <class Group, class T, class Operation>
inline T reduce(const Group &group, T value, Operation operation, EXECUTOR_PLACE) {
  T result = group.shfl(value, 0, where);
  for (unsigned rank = 1; rank < group.size(); rank++) result = operation(result, group.shfl(value, (int)rank, where));
  return result;
}

template <class Group, class T, class Operation>
inline T inclusive_scan(const Group &group, T value, Operation operation, EXECUTOR_PLACE) {
  for (unsigned delta = 1; delta < group.size(); delta *= 2) {
    T other = group.shfl_up(value, delta, where);
    if (group.thread_rank() >= delta) value = operation(other, value);
  }
  return value;
}

template <class Group, class T>
inline T inclusive_scan(const Group &group, T value, EXECUTOR_PLACE) {
  return inclusive_scan(group, value, plus<T>(), where);
}

template <class Group, class T, class Operation>
inline T exclusive_scan(const Group &group, T value, Operation operation, EXECUTOR_PLACE) {
  T result = group.shfl_up(inclusive_scan(group, value, operation, where), 1, where);
  return group.thread_rank() == 0 ? T{} : result;
}

template <class Group, class T>
inline T exclusive_scan(const Group &group, T value, EXECUTOR_PLACE) {
  return exclusive_scan(group, value, plus<T>(), where);
}

// Each thread of the group copies its share; the whole group has to wait for it.
template <class Group, class T>
inline void memcpy_async(const Group &group, T *shared, const T *global, size_t bytes, EXECUTOR_PLACE) {
  auto *to = reinterpret_cast<char *>(shared);
  auto *from = reinterpret_cast<const char *>(global);
  size_t part = 16;
  while (part > 4 && (bytes % part || (reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from)) % part))
    part /= 2;
  for (size_t i = group.thread_rank() * part; i < bytes; i += group.size() * part)
    executor::async_copy(to + i, from + i, part, 0, where);
  executor::async_commit();
}

template <class Group>
inline void wait(const Group &group, EXECUTOR_PLACE) {
  executor::async_wait(0);
  group.sync(where);
}

template <unsigned GroupsInFlight, class Group>
inline void wait_prior(const Group &group, EXECUTOR_PLACE) {
  executor::async_wait(GroupsInFlight);
  group.sync(where);
}

template <class Group>
inline void sync(const Group &group, EXECUTOR_PLACE) {
  group.sync(where);
}

}  // namespace cooperative_groups
