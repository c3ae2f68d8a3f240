// Copies and fills of the C library, made visible to the checker.
#pragma once

namespace executor {

inline void *copy_memory(void *to, const void *from, size_t size, EXECUTOR_PLACE) {
  note_access(from, size, false, where);
  note_access(to, size, true, where);
  return __builtin_memmove(to, from, size);
}

inline void *fill_memory(void *to, int value, size_t size, EXECUTOR_PLACE) {
  note_access(to, size, true, where);
  return __builtin_memset(to, value, size);
}

}  // namespace executor

#define memcpy(to, from, size) ::executor::copy_memory(to, from, size)
#define memmove(to, from, size) ::executor::copy_memory(to, from, size)
#define memset(to, value, size) ::executor::fill_memory(to, value, size)
