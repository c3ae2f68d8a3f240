// Atomic operations with CUDA's own choice of types. Threads of the executor take turns, so a plain
// read-modify-write is atomic; the checker is told about it as one access.
#pragma once

namespace executor {

template <class T, class... Allowed>
concept one_of = (std::is_same_v<T, Allowed> || ...);

template <class T>
using Same = std::type_identity_t<T>;  // lets the other argument convert to T

template <class T, class Operation>
EXECUTOR_HIDDEN T atomic_update(T *address, Operation operation, Place where) {
  note_atomic(address, sizeof(T), false, where);
  T old = *address;
  *address = operation(old);
  return old;
}

template <class T>
EXECUTOR_HIDDEN T atomic_exchange_if(T *address, T compare, T value, Place where) {
  note_atomic(address, sizeof(T), true, where);
  T old = *address;
  if (std::memcmp(&old, &compare, sizeof(T)) == 0) *address = value;
  return old;
}

}  // namespace executor

#define EXECUTOR_ATOMIC(NAME, EXPRESSION, ...)                                                  \
  template <class T>                                                                            \
    requires executor::one_of<T, __VA_ARGS__>                                                   \
  inline T NAME(T *address, executor::Same<T> value, EXECUTOR_PLACE) {                          \
    return executor::atomic_update(address, [value](T old) -> T { return EXPRESSION; }, where); \
  }                                                                                             \
  template <class T>                                                                            \
    requires executor::one_of<T, __VA_ARGS__>                                                   \
  inline T NAME##_block(T *address, executor::Same<T> value, EXECUTOR_PLACE) {                  \
    return NAME(address, value, where);                                                         \
  }                                                                                             \
  template <class T>                                                                            \
    requires executor::one_of<T, __VA_ARGS__>                                                   \
  inline T NAME##_system(T *address, executor::Same<T> value, EXECUTOR_PLACE) {                 \
    return NAME(address, value, where);                                                         \
  }

struct __half;
struct __half2;
struct __nv_bfloat16;
struct __nv_bfloat162;

EXECUTOR_ATOMIC(atomicAdd, old + value, int, unsigned, unsigned long long, float, double, __half, __half2,
                __nv_bfloat16, __nv_bfloat162)
EXECUTOR_ATOMIC(atomicSub, old - value, int, unsigned)
EXECUTOR_ATOMIC(atomicExch, ((void)old, value), int, unsigned, unsigned long long, float)
EXECUTOR_ATOMIC(atomicMin, value < old ? value : old, int, unsigned, long long, unsigned long long)
EXECUTOR_ATOMIC(atomicMax, old < value ? value : old, int, unsigned, long long, unsigned long long)
EXECUTOR_ATOMIC(atomicInc, old >= value ? 0 : old + 1, unsigned)
EXECUTOR_ATOMIC(atomicDec, old == 0 || old > value ? value : old - 1, unsigned)
EXECUTOR_ATOMIC(atomicAnd, old &value, int, unsigned, unsigned long long)
EXECUTOR_ATOMIC(atomicOr, old | value, int, unsigned, unsigned long long)
EXECUTOR_ATOMIC(atomicXor, old ^ value, int, unsigned, unsigned long long)

template <class T>
  requires executor::one_of<T, int, unsigned, unsigned long long, unsigned short>
inline T atomicCAS(T *address, executor::Same<T> compare, executor::Same<T> value, EXECUTOR_PLACE) {
  return executor::atomic_exchange_if(address, compare, value, where);
}

template <class T>
inline T atomicCAS_block(T *address, executor::Same<T> compare, executor::Same<T> value, EXECUTOR_PLACE) {
  return atomicCAS(address, compare, value, where);
}

template <class T>
inline T atomicCAS_system(T *address, executor::Same<T> compare, executor::Same<T> value, EXECUTOR_PLACE) {
  return atomicCAS(address, compare, value, where);
}

inline void __threadfence() { executor::fence(executor::Scope::device); }
inline void __threadfence_system() { executor::fence(executor::Scope::device); }
inline void __threadfence_block() { executor::fence(executor::Scope::block); }
inline void __nanosleep(unsigned) { executor::relax(); }
