// Memory for the length of one call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace invgraph {

void* take_scratch(size_t bytes);
void give_scratch(void* memory) noexcept;

// An uninitialised array that lives until its owner goes. Its memory comes from, and goes back to, a small store of the
// thread that asks: calls that repeat find their pages mapped and warm, where new[] would have the system clear them anew.
template <class T>
class Scratch {
    static_assert(std::is_trivial<T>::value, "scratch memory is not initialised");

public:
    Scratch() = default;
    explicit Scratch(int64_t count) : data_(static_cast<T*>(take_scratch(static_cast<size_t>(count) * sizeof(T)))) {}
    Scratch(Scratch&& other) noexcept : data_(other.data_) { other.data_ = nullptr; }
    Scratch& operator=(Scratch&& other) noexcept {
        T* mine = data_;
        data_ = other.data_;
        other.data_ = mine;
        return *this;
    }
    ~Scratch() { give_scratch(data_); }

    T* get() const { return data_; }
    T& operator[](int64_t i) const { return data_[i]; }
    explicit operator bool() const { return data_ != nullptr; }

private:
    T* data_ = nullptr;
};

}  // namespace invgraph
