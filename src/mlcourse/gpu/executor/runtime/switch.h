// Leaves one stack and goes on on another: what the C++ rules let a called function keep is saved on the stack that
// is left. Hand-written for x86-64 and aarch64; elsewhere ucontext.h of the C library does the same more slowly.
#pragma once

#include <cstddef>
#include <cstring>

#if defined(__APPLE__)
#define EXECUTOR_SYMBOL "_executor_switch"
#else
#define EXECUTOR_SYMBOL "executor_switch"
#endif

#if defined(__x86_64__) || defined(__aarch64__)

extern "C" void executor_switch(void **save_stack_pointer, void *stack_pointer);

#if defined(__x86_64__)
constexpr size_t SAVED_WORDS = 6;
asm(R"(
.text
.globl )" EXECUTOR_SYMBOL R"(
)" EXECUTOR_SYMBOL R"(:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
)");
#else
constexpr size_t SAVED_WORDS = 20;
asm(R"(
.text
.globl )" EXECUTOR_SYMBOL R"(
)" EXECUTOR_SYMBOL R"(:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
)");
#endif

// Lets `function` begin on this stack when it is switched to.
inline void *prepare_stack(char *stack, size_t size, void (*function)()) {
  void **top = reinterpret_cast<void **>(stack + size - 64);
#if defined(__x86_64__)
  *--top = nullptr;  // where a return address would be: keeps the alignment that functions expect
  *--top = reinterpret_cast<void *>(function);
  top -= SAVED_WORDS;
  std::memset(top, 0, SAVED_WORDS * sizeof(void *));
#else
  top -= SAVED_WORDS;
  std::memset(top, 0, SAVED_WORDS * sizeof(void *));
  top[11] = reinterpret_cast<void *>(function);
#endif
  return top;
}

#else

#include <ucontext.h>

inline void executor_switch(void **save_stack_pointer, void *stack_pointer) {
  ucontext_t here;
  *save_stack_pointer = &here;
  swapcontext(&here, static_cast<ucontext_t *>(stack_pointer));
}

inline void *prepare_stack(char *stack, size_t size, void (*function)()) {
  auto *context = reinterpret_cast<ucontext_t *>(stack + size - sizeof(ucontext_t) / 64 * 64 - 128);
  getcontext(context);
  context->uc_stack.ss_sp = stack;
  context->uc_stack.ss_size = static_cast<size_t>(reinterpret_cast<char *>(context) - stack);
  context->uc_link = nullptr;
  makecontext(context, function, 0);
  return context;
}

#endif
