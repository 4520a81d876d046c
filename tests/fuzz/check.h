// Calls a kernel twice, with other threads and other rubbish in fresh memory, and compares the bytes.
#pragma once

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "scene.h"

namespace fuzz {

// what memory from `new` holds before it is written (fuzz.cpp replaces the operator)
inline std::atomic<int> fresh_byte{0};

inline std::string current = "nothing yet";  // printed when a check or a sanitizer stops the program

[[noreturn]] inline void fail(const char* kernel, const std::string& what) {
    std::fprintf(stderr, "%s: %s\n", kernel, what.c_str());
    std::abort();
}

inline void check(bool good, const char* kernel, const char* what) {
    if (!good) fail(kernel, what);
}

// What a kernel writes; `zeroed`: gradients, to which it adds.
template <class T>
struct Output : Array<T> {
    bool zeroed;
    explicit Output(int64_t n, bool zero = false) : Array<T>(n), zeroed(zero) {}
    void prepare(int byte) { std::memset(static_cast<void*>(this->get()), zeroed ? 0 : byte, sizeof(T) * this->size); }
    // all not-a-numbers alike: a processor takes the sign of whichever operand the compiler puts first
    std::vector<char> bytes() const {
        std::vector<T> values(this->get(), this->get() + this->size);
        for (T& v : values)
            if (v != v) v = std::numeric_limits<T>::quiet_NaN();
        const char* first = reinterpret_cast<const char*>(values.data());
        return {first, first + sizeof(T) * values.size()};
    }
};

// call(threads) must write every element of every output, and the same bytes both times.
template <class Call, class... Outputs>
void repeat(Random& r, const char* kernel, const Call& call, Outputs&... outputs) {
    fresh_byte = 0x00;
    (outputs.prepare(0x00), ...);
    call(1);
    const std::vector<char> first[] = {outputs.bytes()...};
    fresh_byte = 0xff;  // NaN, -1, and no bool
    (outputs.prepare(0xff), ...);
    call(r.one_in(100) ? 3 : 1);
    const std::vector<char> second[] = {outputs.bytes()...};
    for (size_t i = 0; i < sizeof...(Outputs); ++i)
        if (first[i] != second[i]) fail(kernel, "output " + std::to_string(i) + " differs between two calls");
}

template <class T, class Good>
void each(const Array<T>& values, const char* kernel, const char* what, const Good& good) {
    for (int64_t i = 0; i < values.size; ++i)
        if (!good(values[i])) {
            fail(kernel, std::string(what) + ": element " + std::to_string(i) + " is " + std::to_string(values[i]));
        }
}

template <class T>
void check_finite(const Array<T>& values, const char* kernel, const char* what) {
    each(values, kernel, what, [](T v) { return std::isfinite(v); });
}

template <class T>
void fill_random(Random& r, const Array<T>& values, bool wild) {
    for (int64_t i = 0; i < values.size; ++i)
        values[i] = wild && r.one_in(6) ? extreme<T>(r) : r.one_in(4) ? T(0) : T(r.uniform(-1, 1));
}

}  // namespace fuzz
