/* What one core can do: compiled and called by limits.py. */
#include <immintrin.h>

/* n additions that each wait for the one before: one a clock cycle. */
void chain(long n) {
    long value = 0;
    for (long i = 0; i < n; i += 16)
        __asm__ volatile(".rept 16\n\tadd $1, %0\n\t.endr" : "+r"(value));
}

/* n multiply-adds of 8 floats, in 12 series that do not wait for each other. */
float multiply_add(long n) {
    __m256 sum[12], factor = _mm256_set1_ps(0.999f), term = _mm256_set1_ps(1e-3f);
    for (int k = 0; k < 12; ++k) sum[k] = _mm256_set1_ps((float)k);
    for (long i = 0; i < n; i += 12) {
#pragma GCC unroll 12
        for (int k = 0; k < 12; ++k) sum[k] = _mm256_fmadd_ps(sum[k], factor, term);
    }
    float out[8], total = 0;
    for (int k = 1; k < 12; ++k) sum[0] = _mm256_add_ps(sum[0], sum[k]);
    _mm256_storeu_ps(out, sum[0]);
    for (int k = 0; k < 8; ++k) total += out[k];
    return total;
}
