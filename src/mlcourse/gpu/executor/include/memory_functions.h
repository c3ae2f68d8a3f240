// Copies and fills of the C library, made visible to the checker.
#pragma once

namespace executor {

#ifdef EXECUTOR_CHECKED  // the checker is told of the bytes once, before they change
#define EXECUTOR_UNSEEN __attribute__((noinline, no_sanitize("thread")))
#else
#define EXECUTOR_UNSEEN inline
#endif

EXECUTOR_UNSEEN static void *move_bytes(void *to, const void *from, size_t size) {
  return __builtin_memmove(to, from, size);
}

EXECUTOR_UNSEEN static void *set_bytes(void *to, int value, size_t size) { return __builtin_memset(to, value, size); }

inline void *copy_memory(void *to, const void *from, size_t size, EXECUTOR_PLACE) {
  note_access(from, size, false, where);
  note_access(to, size, true, where);
  return move_bytes(to, from, size);
}

inline void *fill_memory(void *to, int value, size_t size, EXECUTOR_PLACE) {
  note_access(to, size, true, where);
  return set_bytes(to, value, size);
}

}  // namespace executor

#define memcpy(to, from, size) ::executor::copy_memory(to, from, size)
#define memmove(to, from, size) ::executor::copy_memory(to, from, size)
#define memset(to, value, size) ::executor::fill_memory(to, value, size)
