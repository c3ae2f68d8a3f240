// Matrix operations of whole warps (nvcuda::wmma). Which lane holds which element is left open by CUDA; here element
// number e of a matrix, counted as it lies in memory, is x[e / 32] of lane e % 32.
#pragma once

#include "cuda_bf16.h"
#include "cuda_fp16.h"

namespace nvcuda::wmma {

struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
struct col_major {};
enum layout_t { mem_row_major, mem_col_major };

template <class Use, int M, int N, int K>
struct shape {
  static constexpr int rows = std::is_same_v<Use, matrix_b> ? K : M;
  static constexpr int columns = std::is_same_v<Use, matrix_a> ? K : N;
};

template <class Use, int M, int N, int K, class T, class Layout = void>
struct fragment : shape<Use, M, N, K> {
  static_assert((M == 16 && N == 16) || (M == 32 && N == 8) || (M == 8 && N == 32),
                "wmma has 16×16, 32×8 and 8×32 tiles");
  static_assert(K == 16, "wmma for 16-bit types has K = 16");
  static constexpr int num_elements = fragment::rows * fragment::columns / 32;
  static constexpr bool by_columns = std::is_same_v<Layout, col_major>;
  T x[num_elements];
};

template <class Fragment, class T>
inline void fill_fragment(Fragment &fragment, T value) {
  for (auto &element : fragment.x) element = value;
}

// The i-th of the elements that this lane holds, as a place in memory.
template <class Fragment>
__forceinline__ size_t place_of(int i, unsigned stride, bool by_columns) {
  int element = (int)executor::lane() + 32 * i, length = by_columns ? Fragment::rows : Fragment::columns;
  return (size_t)(element / length) * stride + element % length;
}

template <class Fragment, class T>
__forceinline__ void load(Fragment &fragment, const T *matrix, unsigned stride, bool by_columns,
                          executor::Place where) {
  executor::begin_matrix(matrix, stride * sizeof(T), where);
  for (int i = 0; i < Fragment::num_elements; i++) fragment.x[i] = matrix[place_of<Fragment>(i, stride, by_columns)];
  executor::end_matrix(where);
}

template <class Use, int M, int N, int K, class T, class Layout>
__forceinline__ void load_matrix_sync(fragment<Use, M, N, K, T, Layout> &f, const T *matrix, unsigned stride,
                                      EXECUTOR_PLACE) {
  load(f, matrix, stride, f.by_columns, where);
}

// The place in memory of an accumulator's element, which lies by rows in the lanes.
template <int N>
__forceinline__ size_t place_of_sum(int i, unsigned stride, layout_t layout) {
  int element = (int)executor::lane() + 32 * i, row = element / N, column = element % N;
  return layout == mem_row_major ? (size_t)row * stride + column : (size_t)column * stride + row;
}

template <int M, int N, int K, class T>
__forceinline__ void load_matrix_sync(fragment<accumulator, M, N, K, T> &f, const T *matrix, unsigned stride,
                                      layout_t layout, EXECUTOR_PLACE) {
  executor::begin_matrix(matrix, stride * sizeof(T), where);
  for (int i = 0; i < f.num_elements; i++) f.x[i] = matrix[place_of_sum<N>(i, stride, layout)];
  executor::end_matrix(where);
}

template <int M, int N, int K, class T>
__forceinline__ void store_matrix_sync(T *matrix, const fragment<accumulator, M, N, K, T> &f, unsigned stride,
                                       layout_t layout, EXECUTOR_PLACE) {
  executor::begin_matrix(matrix, stride * sizeof(T), where);
  for (int i = 0; i < f.num_elements; i++) matrix[place_of_sum<N>(i, stride, layout)] = f.x[i];
  executor::end_matrix(where);
}

// An element of a matrix that is spread over the lanes.
template <class Fragment>
EXECUTOR_HIDDEN float element_of(void *const *fragments, int row, int column) {
  int element = Fragment::by_columns ? column * Fragment::rows + row : row * Fragment::columns + column;
  auto value = static_cast<const Fragment *>(fragments[element % 32])->x[element / 32];
  return (float)value;
}

template <int M, int N, int K, class D, class A, class LayoutA, class B, class LayoutB, class C>
EXECUTOR_HIDDEN void mma_sync(fragment<accumulator, M, N, K, D> &d, const fragment<matrix_a, M, N, K, A, LayoutA> &a,
                              const fragment<matrix_b, M, N, K, B, LayoutB> &b,
                              const fragment<accumulator, M, N, K, C> &c, EXECUTOR_PLACE) {
  using FragmentA = std::remove_cvref_t<decltype(a)>;
  using FragmentB = std::remove_cvref_t<decltype(b)>;
  void *all_a[32], *all_b[32];
  __builtin_memcpy(all_a, executor::exchange_pointers(~0u, (void *)&a, where), sizeof all_a);
  __builtin_memcpy(all_b, executor::exchange_pointers(~0u, (void *)&b, where), sizeof all_b);
  float sums[fragment<accumulator, M, N, K, D>::num_elements];
  for (int i = 0; i < d.num_elements; i++) {
    int element = (int)executor::lane() + 32 * i, row = element / N, column = element % N;
    sums[i] = (float)c.x[i];
    for (int k = 0; k < K; k++)
      sums[i] += element_of<FragmentA>(all_a, row, k) * element_of<FragmentB>(all_b, k, column);
  }
  executor::ballot(~0u, true, where);
  for (int i = 0; i < d.num_elements; i++) d.x[i] = (D)sums[i];
}

}  // namespace nvcuda::wmma
