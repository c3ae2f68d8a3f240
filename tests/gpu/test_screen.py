"""What the check of an exercise in CUDA C++ does not compile."""

import pytest

from mlcourse.gpu.screen import MAX_SOURCE, refusal

KERNEL = "__global__ void f(float* x) { x[threadIdx.x] = 1; }"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('asm("nop");', "uses 'asm'"),
        ('__asm__ volatile ("nop");', "uses '__asm__'"),
        ('as\\\nm("nop");', "uses 'asm'"),
        ("#define A as ## m", "uses '##'"),
        ("#define A asm", "uses 'asm'"),
        ("#define A \\\n  b \\\n  asm", "uses 'asm'"),
        ('#define A /* \n " */ asm("x") // "', "uses 'asm'"),
        ("char c = 'a\"'; asm(1); char d = 'b\"';", "uses 'asm'"),
        ('const char* s = R"x(" )x"; asm(1);', "raw string"),
        ("#include <unistd.h>", "includes <unistd.h>"),
        ('#include "/etc/passwd"', 'includes "/etc/passwd"'),
        ("#include HEADER", "includes HEADER"),
        ("%:include <unistd.h>", "includes <unistd.h>"),
        ("# /* */ include <unistd.h>", "includes <unistd.h>"),
        ("#pragma GCC optimize(3)", "only `#pragma unroll`"),
        ('#line 3 "other.cu"', "directive #line"),
        ('extern "C" int fork();', "uses 'extern'"),
        ("__attribute__((constructor)) void f() {}", "uses '__attribute__'"),
        ("[[gnu::constructor]] void f() {}", "uses 'gnu'"),
        ("executor::launch = 0;", "uses 'executor'"),
        ("EXECUTOR_KERNEL(f)", "uses 'EXECUTOR_KERNEL'"),
        ("void __tsan_read4(void*) {}", "uses '__tsan_read4'"),
        ('system("ls");', "calls 'system'"),
        ("::fork ();", "calls 'fork'"),
        ("int \\u0061sm;", "backslash"),
    ],
)
def test_refused_with_its_line(line, words):
    why = refusal(f"{KERNEL}\n{KERNEL}\n{line}\n")
    assert words in why
    assert why.startswith(("line 3 ", "line 4 "))


@pytest.mark.parametrize(
    "line",
    [
        "#include <cuda_fp16.h>\n#include <cooperative_groups.h>\nnamespace cg = cooperative_groups;",
        "extern __shared__ float tile[];",
        "extern  __shared__  __align__(16) unsigned char bytes[];",
        "#pragma unroll 4",
        "#define TILE 32\n#define AT(i, j) (i * TILE + \\\n  j)\n#if TILE > 16\n#endif",
        "float read = 1'000.5f, write = 0x1'0p3f, open = read; // asm fork() #include <unistd.h>",
        'printf("asm %d \\"fork()\\"\\n", 1); /* executor:: " */',
        "char quote = '\\'', other = '\"';",
        "template <int n> __device__ int twice() { return 2 * n; }",
    ],
)
def test_what_a_kernel_needs_is_compiled(line):
    assert refusal(f"{KERNEL}\n{line}\n") == ""


def test_long_sources_are_refused_quickly():
    assert "64,000 are the most" in refusal("x" * (MAX_SOURCE + 1))
    for piece in ("/*", '"', "'", "\\\n", "#define ", "a", "1'", "#" * 9, 'R"'):
        refusal(piece * (MAX_SOURCE // len(piece)))
