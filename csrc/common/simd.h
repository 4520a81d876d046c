// Vectors of the widest registers that the instruction set has, by GCC's and Clang's vector extension.
//
// The triangle math (triangle.h) is written once, for a type V that is either a number or a vector of numbers; the
// functions below and in numbers.h give the few operations that the language does not spell alike for both.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "common/numbers.h"
#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace invgraph {
inline namespace INVGRAPH_ISA {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

template <class T>
struct VectorOf {
    typedef T type __attribute__((vector_size(kVectorBytes)));
    typedef T unaligned __attribute__((vector_size(kVectorBytes), aligned(sizeof(T)), may_alias));
};
template <class T>
using Vec = typename VectorOf<T>::type;
template <class T>
constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));

// comparisons of Vec<float> give VecInt<float>: 0 or -1 in each lane
template <class T>
struct IntOf;
template <>
struct IntOf<float> {
    using type = int32_t;
};
template <>
struct IntOf<double> {
    using type = int64_t;
};
template <class T>
using VecInt = Vec<typename IntOf<T>::type>;

template <class T>
inline Vec<T> load(const T* p) {
    return *reinterpret_cast<const typename VectorOf<T>::unaligned*>(p);
}
template <class T>
inline void store(T* p, Vec<T> v) {
    *reinterpret_cast<typename VectorOf<T>::unaligned*>(p) = v;
}
template <class T>
inline Vec<T> broadcast(T value) {
    return value - Vec<T>{};
}
template <class T>
inline Vec<T> iota() {
    Vec<T> v{};
    for (int i = 0; i < kLanes<T>; ++i) v[i] = static_cast<T>(i);
    return v;
}

template <class T>
inline Vec<T> absolute(Vec<T> v) {
    VecInt<T> bits;
    std::memcpy(&bits, &v, sizeof v);
    bits &= std::numeric_limits<typename IntOf<T>::type>::max();
    std::memcpy(&v, &bits, sizeof v);
    return v;
}

// Horizontal operations fold halves, which compiles to a few shuffles.
template <class T>
inline T sum(Vec<T> v) {
    alignas(kVectorBytes) T a[kLanes<T>];
    store(a, v);
    for (int n = kLanes<T> / 2; n > 0; n /= 2)
        for (int i = 0; i < n; ++i) a[i] += a[i + n];
    return a[0];
}
// Lane j of the result is the sum of vector j of as many vectors as there are lanes. Halves, quarters ... of two vectors are
// added side by side, which takes a few shuffles a vector where sum<T> takes a few for each halving.
template <class T, int Half = kLanes<T> / 2>
inline void fold_pairs(Vec<T>* v) {
    VecInt<T> low{}, high{};
    for (int j = 0; j < kLanes<T>; ++j) {
        low[j] = (j & ~Half) + (j & Half ? kLanes<T> : 0);
        high[j] = low[j] + Half;
    }
    for (int i = 0; i < Half; ++i) {
#if defined(__clang__)
        Vec<T> a{}, b{};
        for (int j = 0; j < kLanes<T>; ++j) {
            a[j] = (j & Half ? v[i + Half] : v[i])[j & ~Half];
            b[j] = (j & Half ? v[i + Half] : v[i])[j | Half];
        }
        v[i] = a + b;
#else
        v[i] = __builtin_shuffle(v[i], v[i + Half], low) + __builtin_shuffle(v[i], v[i + Half], high);
#endif
    }
    if constexpr (Half > 1) fold_pairs<T, Half / 2>(v);
}
template <class T>
inline Vec<T> sums(const T rows[][kLanes<T>]) {
    Vec<T> v[kLanes<T>];
    for (int i = 0; i < kLanes<T>; ++i) v[i] = load(rows[i]);
    fold_pairs<T>(v);
    return v[0];
}
template <class I>
inline bool any(I mask) {
#if defined(__AVX512F__)
    __m512i v;
    std::memcpy(&v, &mask, sizeof v);
    return _mm512_test_epi64_mask(v, v) != 0;
#elif defined(__AVX2__)
    __m256i v;
    std::memcpy(&v, &mask, sizeof v);
    return !_mm256_testz_si256(v, v);
#else
    long long words[kVectorBytes / 8], bits = 0;
    std::memcpy(words, &mask, sizeof words);
    for (long long word : words) bits |= word;
    return bits != 0;
#endif
}

// One bit for each lane of a mask that is set.
template <class T>
inline uint32_t lane_bits(VecInt<T> mask) {
#if defined(__AVX512DQ__)
    __m512i v;
    std::memcpy(&v, &mask, sizeof v);
    return sizeof(T) == 4 ? _mm512_movepi32_mask(v) : _mm512_movepi64_mask(v);
#elif defined(__AVX2__)
    __m256i v;
    std::memcpy(&v, &mask, sizeof v);
    return sizeof(T) == 4 ? _mm256_movemask_ps(_mm256_castsi256_ps(v)) : _mm256_movemask_pd(_mm256_castsi256_pd(v));
#else
    uint32_t bits = 0;
    for (int i = 0; i < kLanes<T>; ++i) bits |= (mask[i] != 0 ? 1u : 0u) << i;
    return bits;
#endif
}

// e^x for x in [-87, 88] (float), [-700, 700] (double): x = n ln 2 + r, |r| <= ln(2)/2, Taylor's series of e^r, then 2^n
// put into the exponent bits. Relative error below 2e-7 and 4e-16.
template <class T>
struct ExpTraits;
template <>
struct ExpTraits<float> {
    static constexpr float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer in the low bits
    static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    static constexpr int mantissa = 23, bias = 127, degree = 6;
};
template <>
struct ExpTraits<double> {
    static constexpr double magic = 6755399441055744.0;  // 1.5 * 2^52
    static constexpr double ln2_high = 0.693145751953125, ln2_low = 1.42860682030941723212e-6;
    static constexpr int mantissa = 52, bias = 1023, degree = 13;
};

template <class T>
inline Vec<T> exp(Vec<T> x) {
    using E = ExpTraits<T>;
    using I = typename IntOf<T>::type;
    const Vec<T> shifted = x * static_cast<T>(1.44269504088896340736) + E::magic;
    const Vec<T> n = shifted - E::magic;
    const Vec<T> r = (x - n * E::ln2_high) - n * E::ln2_low;
    constexpr double inverse_factorial[] = {1.,          1.,           1. / 2,        1. / 6,       1. / 24,
                                            1. / 120,    1. / 720,     1. / 5040,     1. / 40320,   1. / 362880,
                                            1. / 3628800, 1. / 39916800, 1. / 479001600, 1. / 6227020800.};
    Vec<T> series = broadcast<T>(static_cast<T>(inverse_factorial[E::degree]));
    for (int k = E::degree - 1; k >= 0; --k) series = series * r + static_cast<T>(inverse_factorial[k]);
    VecInt<T> bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + static_cast<I>(E::bias)) << E::mantissa;  // magic's own bits fall off the top
    Vec<T> scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return series * scale;
}

// 2^x for x in [-126, 127] (float), [-1022, 1023] (double), otherwise not a number of use: x = n + r, |r| <= 1/2, a minimax
// polynomial of 2^r, then 2^n put into the exponent bits. Relative error below 2e-7 and 4e-16.
template <class T>
inline Vec<T> exp2(Vec<T> x) {
    using E = ExpTraits<T>;
    using I = typename IntOf<T>::type;
    constexpr int degree = sizeof(T) == 4 ? 5 : 11;
    constexpr double of_float[] = {1., 0.69314696706526492761, 0.24022119723969178047, 0.05550713272875391178,
                                   0.0096755413310213911451, 0.0013276472167819943329};
    constexpr double of_double[] = {1.,
                                    0.69314718055994533046,
                                    0.24022650695910156205,
                                    0.055504108664819921483,
                                    0.0096181291075883350833,
                                    0.0013333558146789950323,
                                    0.00015403530462514613026,
                                    0.0000152527334899608046,
                                    1.3215433089594629037e-6,
                                    1.0178198033328527662e-7,
                                    7.0741056262456593708e-9,
                                    4.4352809446103361611e-10};
    const double* coefficient = sizeof(T) == 4 ? of_float : of_double;
    const Vec<T> shifted = x + E::magic, r = x - (shifted - E::magic);
    Vec<T> series = broadcast<T>(static_cast<T>(coefficient[degree]));
    for (int k = degree - 1; k >= 0; --k) series = series * r + static_cast<T>(coefficient[k]);
    VecInt<T> bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + static_cast<I>(E::bias)) << E::mantissa;
    Vec<T> scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return series * scale;
}

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
