// The pixels of one vector: a row of them, or a block of shorter rows, whichever covers a small box with fewer vectors.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "common/simd.h"

namespace invgraph {
inline namespace INVGRAPH_ISA {

// Rows of `Width` pixels, from a row-major picture.
template <class T, int Width>
struct PixelBlock {
    static constexpr int width = Width, height = kLanes<T> / Width;
    static constexpr int kBytes = Width * static_cast<int>(sizeof(T));

    template <class E>
    static Vec<E> load_block(const E* from, [[maybe_unused]] int64_t stride) {
        static_assert(sizeof(E) == sizeof(T), "one element a lane");
        [[maybe_unused]] Vec<E> v;
#if defined(__AVX512F__)
        if constexpr (kBytes == 16) {
            __m512i all = _mm512_castsi128_si512(row128(from));
            all = _mm512_inserti32x4(all, row128(from + stride), 1);
            all = _mm512_inserti32x4(all, row128(from + 2 * stride), 2);
            all = _mm512_inserti32x4(all, row128(from + 3 * stride), 3);
            std::memcpy(&v, &all, sizeof v);
            return v;
        } else if constexpr (kBytes == 32) {
            const __m512i all = _mm512_inserti64x4(_mm512_castsi256_si512(row256(from)), row256(from + stride), 1);
            std::memcpy(&v, &all, sizeof v);
            return v;
        }
#elif defined(__AVX2__)
        if constexpr (kBytes == 16) {
            const __m256i all = _mm256_inserti128_si256(_mm256_castsi128_si256(row128(from)), row128(from + stride), 1);
            std::memcpy(&v, &all, sizeof v);
            return v;
        }
#endif
        return load(from);
    }
    template <class E>
    static void store_block(E* to, [[maybe_unused]] int64_t stride, Vec<E> v) {
#if defined(__AVX512F__)
        if constexpr (kBytes < kVectorBytes) {
            __m512i all;
            std::memcpy(&all, &v, sizeof v);
            if constexpr (kBytes == 16) {
                write128(to, _mm512_castsi512_si128(all));
                write128(to + stride, _mm512_extracti32x4_epi32(all, 1));
                write128(to + 2 * stride, _mm512_extracti32x4_epi32(all, 2));
                write128(to + 3 * stride, _mm512_extracti32x4_epi32(all, 3));
            } else {
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_castsi512_si256(all));
                _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + stride), _mm512_extracti64x4_epi64(all, 1));
            }
            return;
        }
#elif defined(__AVX2__)
        if constexpr (kBytes < kVectorBytes) {
            __m256i all;
            std::memcpy(&all, &v, sizeof v);
            write128(to, _mm256_castsi256_si128(all));
            write128(to + stride, _mm256_extracti128_si256(all, 1));
            return;
        }
#endif
        store(to, v);
    }
    // columns and rows of the lanes' pixels, from the block's first
    static Vec<T> columns() {
        Vec<T> v{};
        for (int i = 0; i < kLanes<T>; ++i) v[i] = static_cast<T>(i % Width);
        return v;
    }
    static Vec<T> rows() {
        Vec<T> v{};
        for (int i = 0; i < kLanes<T>; ++i) v[i] = static_cast<T>(i / Width);
        return v;
    }

private:
#if defined(__AVX2__)
    static __m128i row128(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }
    static __m256i row256(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
    static void write128(void* p, __m128i v) { _mm_storeu_si128(static_cast<__m128i*>(p), v); }
#endif
};

// The shortest rows have 16 bytes.
template <class T>
constexpr int kNarrow = 16 / static_cast<int>(sizeof(T));

// draw(PixelBlock) with the shape that covers a box of so many pixels with the fewest vectors; the widest of equals.
template <class T, class Draw>
void with_block(int width, int height, const Draw& draw) {
    auto vectors = [&](int w) { return ((width + w - 1) / w) * ((height + kLanes<T> / w - 1) / (kLanes<T> / w)); };
    if constexpr (kLanes<T> > 2 * kNarrow<T>) {
        const int wide = vectors(kLanes<T>), half = vectors(2 * kNarrow<T>), narrow = vectors(kNarrow<T>);
        if (narrow < std::min(wide, half)) return draw(PixelBlock<T, kNarrow<T>>());
        if (half < wide) return draw(PixelBlock<T, 2 * kNarrow<T>>());
    } else if constexpr (kLanes<T> > kNarrow<T>) {
        if (vectors(kNarrow<T>) < vectors(kLanes<T>)) return draw(PixelBlock<T, kNarrow<T>>());
    }
    draw(PixelBlock<T, kLanes<T>>());
}

// Columns and rows by which a block may hang over the right and lower end of the box that it covers.
template <class T>
constexpr int kOverhang = kLanes<T>;

}  // namespace INVGRAPH_ISA
}  // namespace invgraph
