// How the runtime starts the kernel: with an array of pointers to the values of its parameters.
#pragma once

#include <utility>

namespace executor {

template <class... Parameters>
struct Entry {
  static constexpr int count = sizeof...(Parameters);
  static constexpr size_t sizes[sizeof...(Parameters) + 1] = {sizeof(Parameters)..., 0};

  template <size_t... I>
  EXECUTOR_HIDDEN static void call(void (*kernel)(Parameters...), void **arguments, std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_cvref_t<Parameters> *>(arguments[I])...);
  }
};

template <class... Parameters>
Entry<Parameters...> entry_of(void (*)(Parameters...));

}  // namespace executor

// The kernel is called through a variable that may change, so that the compiler leaves it a function of its own.
#define EXECUTOR_KERNEL(...)                                                                             \
  using executor_entry = decltype(executor::entry_of(&__VA_ARGS__));                                     \
  static auto *volatile executor_kernel = &__VA_ARGS__;                                                  \
  extern "C" {                                                                                           \
  extern const int executor_parameter_count = executor_entry::count;                                     \
  extern const size_t *const executor_parameter_sizes = executor_entry::sizes;                           \
  __attribute__((no_sanitize("thread"))) void executor_call(void **arguments) {                          \
    executor_entry::call(executor_kernel, arguments, std::make_index_sequence<executor_entry::count>{}); \
  }                                                                                                      \
  }
