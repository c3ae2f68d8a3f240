// The program around a kernel: reads launches from standard input, maps the arrays, runs, and answers. It is a process
// of its own so that nothing a kernel does can harm the notebook.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "profile.h"
#include "runtime.h"
#if defined(__linux__)
#include <link.h>
#endif
#if defined(__APPLE__)
#include <mach-o/dyld.h>
#endif

extern "C" {
extern const int executor_parameter_count;
extern const size_t *const executor_parameter_sizes;
#if defined(__linux__)
extern __thread char executor_dynamic_shared[];  // in the file that the build writes; see build.py
#else
alignas(1024) char executor_dynamic_shared[executor::DYNAMIC_SHARED_MAXIMUM + (64 << 10)];
#endif
}

namespace executor {

namespace {

constexpr size_t WIDE_GAP = 64 << 20, NARROW_GAP = 1 << 20;
constexpr unsigned char PATTERN = 0xff;  // a NaN, if it is taken for floats

struct Mapped {
  char *memory = nullptr;
  size_t size = 0;
};

struct Global {
  char *begin;
  size_t size;
  size_t file_offset;
  bool has_value;
};

int memory_file, answers;  // what the parent gave us
std::vector<int64_t> message;
size_t position;
std::vector<Global> globals;
std::vector<char *> page_begin, page_end;

int64_t next() { return message.at(position++); }

int commands;  // where launches come from; not standard input, which a kernel may read

bool read_fully(void *to, size_t size) {
  for (char *p = static_cast<char *>(to); size;) {
    ssize_t got = read(commands, p, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    p += got, size -= static_cast<size_t>(got);
  }
  return true;
}

void write_fully(const std::string &text) {
  for (size_t done = 0; done < text.size();) {
    ssize_t wrote = write(answers, text.data() + done, text.size() - done);
    if (wrote < 0 && errno != EINTR) _exit(3);
    done += wrote > 0 ? static_cast<size_t>(wrote) : 0;
  }
}

size_t page() { return static_cast<size_t>(getpagesize()); }

size_t whole_pages(size_t size) { return (size + page() - 1) / page() * page(); }

// An array ends where its last page ends, or less than 256 bytes before: further on, access is an error or, under the
// checker, goes to waste memory.
Mapped map_buffers(size_t count) {
  std::vector<size_t> offsets(count), sizes(count);
  launch.buffers.assign(count, Buffer{});
  size_t total = 0;
  std::vector<int64_t> written(count);
  for (size_t i = 0; i < count; i++) {
    Buffer &buffer = launch.buffers[i];
    offsets[i] = static_cast<size_t>(next());
    buffer.size = static_cast<size_t>(next());
    buffer.granule = static_cast<unsigned>(next());
    int64_t flags = next();
    buffer.read_only = flags & 1, buffer.poisoned = flags & 2;
    written[i] = next();
    sizes[i] = whole_pages(std::max<size_t>((buffer.size + 255) / 256 * 256, 1));
    total += sizes[i] + (written[i] >= 0 ? whole_pages(buffer.size) : 0);
  }
  bool checked_run = launch.mode != Mode::plain;
  int protection = checked_run ? PROT_READ | PROT_WRITE : PROT_NONE;
  Mapped mapped;
  void *memory = MAP_FAILED;
  size_t gap = WIDE_GAP;
  for (; memory == MAP_FAILED && gap >= NARROW_GAP; gap = gap == WIDE_GAP ? NARROW_GAP : 0) {
    mapped.size = total + (2 * count + 1) * gap;
    memory = mmap(nullptr, mapped.size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory != MAP_FAILED) break;
  }
  if (memory == MAP_FAILED) _exit(4);
  mapped.memory = static_cast<char *>(memory);
  page_begin.clear(), page_end.clear();
  char *at = mapped.memory + gap;
  for (size_t i = 0; i < count; i++) {
    Buffer &buffer = launch.buffers[i];
    int rights = buffer.read_only && !checked_run ? PROT_READ : PROT_READ | PROT_WRITE;
    if (mmap(at, sizes[i], rights, MAP_SHARED | MAP_FIXED, memory_file, static_cast<off_t>(offsets[i])) == MAP_FAILED)
      _exit(4);
    buffer.begin = at + sizes[i] - (buffer.size + 255) / 256 * 256;
    page_begin.push_back(at), page_end.push_back(at + sizes[i]);
    at += sizes[i] + gap;
    if (written[i] < 0 || buffer.size == 0) continue;
    size_t size = whole_pages(buffer.size);
    void *mask =
        mmap(at, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory_file, static_cast<off_t>(written[i]));
    if (mask == MAP_FAILED) _exit(4);
    buffer.written = static_cast<uint8_t *>(mask);
    at += size + gap;
  }
  return mapped;
}

template <class Function>
void around_buffers(Function function) {
  for (size_t i = 0; i < launch.buffers.size(); i++) {
    const Buffer &buffer = launch.buffers[i];
    if (buffer.read_only && launch.mode == Mode::plain) continue;
    char *end = buffer.begin + buffer.size;
    function(i, std::max(page_begin[i], buffer.begin - 256), buffer.begin);
    function(i, end, page_end[i]);
  }
}

void spread_pattern() {
  around_buffers([](size_t, char *begin, char *end) { std::memset(begin, PATTERN, static_cast<size_t>(end - begin)); });
}

void check_pattern() {
  if (launch.mode != Mode::plain) return;
  around_buffers([](size_t i, char *begin, char *end) {
    for (char *p = begin; p < end; p++) {
      if (static_cast<unsigned char>(*p) == PATTERN) continue;
      Fault fault{.kind = FaultKind::out_of_bounds, .site = 0};
      fault.memory = static_cast<int>(i), fault.offset = p - launch.buffers[i].begin, fault.operation = 1;
      abandoned_because = "a write outside of an array";
      report(fault);
      return;
    }
  });
}

void copy_globals(bool in) {
  for (auto &global : globals) {
    if (in && !global.has_value) continue;
    ssize_t moved = in ? pread(memory_file, global.begin, global.size, static_cast<off_t>(global.file_offset))
                       : pwrite(memory_file, global.begin, global.size, static_cast<off_t>(global.file_offset));
    if (moved != static_cast<ssize_t>(global.size)) _exit(5);
  }
}

std::vector<std::vector<int64_t>> read_parameters() {
  std::vector<std::vector<int64_t>> values(static_cast<size_t>(next()));
  for (auto &value : values) {
    if (next() == 0) {
      int64_t buffer = next(), offset = next();
      value = {buffer < 0 ? 0 : reinterpret_cast<int64_t>(launch.buffers[static_cast<size_t>(buffer)].begin) + offset};
    } else {
      size_t words = (static_cast<size_t>(next()) + 7) / 8;
      for (size_t i = 0; i < words; i++) value.push_back(next());
    }
  }
  return values;
}

void describe(std::string &answer) {
  char text[512];
  for (auto &f : faults) {
    snprintf(text, sizeof text, "fault %d %u %u %llu %u %u %u %u %d %lld %llu %d %d %lld %d\n",
             static_cast<int>(f.kind), f.site, f.other_site, (unsigned long long)f.count, f.block, f.thread,
             f.other_block, f.other_thread, f.memory, (long long)f.offset, (unsigned long long)f.size, f.operation,
             f.other_operation, (long long)f.detail, f.note);
    answer += text;
    if (f.memory == -5) answer += std::string("array ") + reinterpret_cast<const char *>(f.detail) + "\n";
  }
  if (!abandoned_because.empty()) answer += "abandoned " + abandoned_because + "\n";
  if (launch.mode == Mode::profile) profile::describe(answer);
}

void send(std::string answer) {
  fflush(stderr);
  char head[32];
  snprintf(head, sizeof head, "%zu\n", answer.size());
  write_fully(head + answer);
}

void set_timer(double seconds) {
  itimerval timer{};
  timer.it_value.tv_sec = static_cast<time_t>(seconds);
  timer.it_value.tv_usec = static_cast<suseconds_t>((seconds - static_cast<double>(timer.it_value.tv_sec)) * 1e6);
  setitimer(ITIMER_PROF, &timer, nullptr);
}

uintptr_t instruction(void *context) {
#if defined(__linux__) && defined(__x86_64__)
  return static_cast<uintptr_t>(static_cast<ucontext_t *>(context)->uc_mcontext.gregs[REG_RIP]);
#elif defined(__linux__) && defined(__aarch64__)
  return static_cast<uintptr_t>(static_cast<ucontext_t *>(context)->uc_mcontext.pc);
#elif defined(__APPLE__) && defined(__aarch64__)
  return static_cast<uintptr_t>(static_cast<ucontext_t *>(context)->uc_mcontext->__ss.__pc);
#elif defined(__APPLE__)
  return static_cast<uintptr_t>(static_cast<ucontext_t *>(context)->uc_mcontext->__ss.__rip);
#else
  return 0;
#endif
}

// After a fault nothing can be trusted any more: say what happened, and end. The next launch gets a new process.
void on_signal(int number, siginfo_t *info, void *context) {
  signal(number, SIG_DFL);
  alarm(2);
  char *address = static_cast<char *>(info->si_addr);
#ifdef SI_KERNEL
  // A processor of x86 gives no address for a vector that is not aligned, and the system reports zero.
  if (number == SIGSEGV && info->si_code == SI_KERNEL) address = reinterpret_cast<char *>(-1);
#endif
  int overflow = 0, memory = -1;
  long long offset = 0;
  if (current && (number == SIGSEGV || number == SIGBUS)) {
    overflow = address < current->carrier->stack && address >= current->carrier->stack - page();
    long long best = 1ll << 40;
    for (size_t i = 0; i < launch.buffers.size(); i++) {
      const Buffer &buffer = launch.buffers[i];
      long long distance = address < buffer.begin ? buffer.begin - address
                                                  : std::max<long long>(address - (buffer.begin + buffer.size), 0);
      if (distance < best) best = distance, memory = static_cast<int>(i), offset = address - buffer.begin;
    }
    if (best > (1ll << 30)) memory = -1;
  }
  std::string answer;
  describe(answer);
  uintptr_t site = instruction(context) - image_base + 1;
  if (site >> 31) site = 0;  // in a library
  char text[256];
  snprintf(text, sizeof text, "crash %d %llu %u %u %u %d %d %lld %llu %u\n", number, (unsigned long long)site,
           current ? block_number : 0, current ? current->number : 0, current ? 1 : 0, overflow, memory, offset,
           (unsigned long long)address, last_site || !current ? last_site : current->where);
  send(answer + text);
  _exit(1);
}

void catch_signals() {
  static char stack[1 << 16];
  stack_t alternative{};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof stack;
  sigaltstack(&alternative, nullptr);
  struct sigaction action{};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPROF, SIGTRAP}) sigaction(number, &action, nullptr);
}

#if defined(__linux__)
// The variables in shared memory are the thread-local ones; see cuda_on_cpu.h.
int look_at_program(dl_phdr_info *info, size_t, void *) {
  image_base = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const auto &part = info->dlpi_phdr[i];
    char *begin = reinterpret_cast<char *>(info->dlpi_addr + part.p_vaddr);
    if (part.p_type == PT_LOAD && part.p_flags & PF_W) {
      data_begin = begin;
      data_end = begin + part.p_memsz;
    }
    if (part.p_type == PT_TLS) shared_begin = static_cast<char *>(info->dlpi_tls_data);
  }
  return 1;  // the program is first; no need to look at libraries
}

void find_program() { dl_iterate_phdr(look_at_program, nullptr); }
#else
extern "C" char shared_section_begin __asm("section$start$__DATA$__block_shared");

void find_program() {
  image_base = reinterpret_cast<uintptr_t>(_dyld_get_image_header(0));
  shared_begin = &shared_section_begin;
}
#endif

// The variables of the kernel: in shared memory by their place among the shared ones, globals by their address.
void read_variables() {
  variables.clear(), globals.clear();
  shared_variables = static_cast<size_t>(next());
  static char *base = shared_begin;
  shared_begin = shared_end = nullptr;
  for (size_t i = 0; i < shared_variables; i++) {
    Variable variable{base + next(), static_cast<size_t>(next())};
    variables.push_back(variable);
    if (!shared_begin || variable.begin < shared_begin) shared_begin = variable.begin;
    shared_end = std::max(shared_end, variable.begin + variable.size);
  }
  if (!shared_begin) shared_begin = shared_end = base;
  for (size_t count = static_cast<size_t>(next()); count; count--) {
    Variable variable{reinterpret_cast<char *>(image_base) + next(), static_cast<size_t>(next())};
    variables.push_back(variable);
    size_t file_offset = static_cast<size_t>(next());
    globals.push_back({variable.begin, variable.size, file_offset, next() != 0});
  }
}

void answer_launch() {
  position = 0;
  launch.mode = static_cast<Mode>(next());
  for (uint3 *size : {&launch.grid, &launch.block})
    for (unsigned *axis : {&size->x, &size->y, &size->z}) *axis = static_cast<unsigned>(next());
  launch.dynamic_shared = static_cast<size_t>(next());
  launch.block_order = static_cast<Order>(next());
  launch.warp_order = static_cast<Order>(next());
  launch.seed = static_cast<unsigned>(next());
  launch.seconds = static_cast<double>(next()) / 1e3;
  launch.trace_limit = static_cast<size_t>(next());
  read_variables();
  Mapped mapped = map_buffers(static_cast<size_t>(next()));
  auto parameters = read_parameters();
  std::vector<void *> arguments;
  for (auto &parameter : parameters) arguments.push_back(parameter.data());
  dynamic_begin = executor_dynamic_shared;
  copy_globals(true);
  spread_pattern();
  set_timer(launch.seconds);
  run(arguments.data());
  set_timer(0);
  check_pattern();
  copy_globals(false);
  std::string answer;
  describe(answer);
  munmap(mapped.memory, mapped.size);
  send(answer);
}

}  // namespace
}  // namespace executor

int main(int, char **arguments) {
  executor::memory_file = std::atoi(arguments[1]);
  executor::answers = std::atoi(arguments[2]);
  executor::commands = dup(STDIN_FILENO);
  dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
  executor::find_program();
  executor::catch_signals();
  dup2(STDERR_FILENO, STDOUT_FILENO);
  std::string sizes = "sizes";
  for (int i = 0; i < executor_parameter_count; i++) sizes += " " + std::to_string(executor_parameter_sizes[i]);
  executor::send(sizes + "\n");
  for (int64_t words; executor::read_fully(&words, sizeof words);) {
    executor::message.resize(static_cast<size_t>(words));
    if (!executor::read_fully(executor::message.data(), executor::message.size() * sizeof words)) break;
    executor::answer_launch();
  }
}
