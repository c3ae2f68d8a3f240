// Asynchronous copies from global to shared memory. Nothing arrives before it is waited for, and the checker watches
// that nobody looks earlier.
#pragma once

#include "cuda_on_cpu.h"

inline void __pipeline_memcpy_async(void *shared, const void *global, size_t size, size_t zeros = 0, EXECUTOR_PLACE) {
  executor::async_copy(shared, global, size, zeros, where);
}

inline void __pipeline_commit() { executor::async_commit(); }
inline void __pipeline_wait_prior(size_t groups_in_flight) { executor::async_wait((unsigned)groups_in_flight); }
