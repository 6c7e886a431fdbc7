// SPDX-License-Identifier: MIT
// Runs the tests of the module beside it, which brings libgssapi along: in this process nothing but that module sees its names, as in
// an interpreter that loads its extensions.
#include <dlfcn.h>

#include <iostream>
#include <string>

namespace {

constexpr const char* kModule = "/.libs/contract.so";

// As found by name in the whole process.
bool sees_libgssapi() { return dlsym(RTLD_DEFAULT, "gss_init_sec_context") != nullptr; }

std::string folder_of(const std::string& program) { return program.substr(0, program.rfind('/')); }

int run(int argc, char** argv) {
  void* const module = dlopen((folder_of(argv[0]) + kModule).c_str(), RTLD_NOW | RTLD_LOCAL);
  void* const tests = module ? dlsym(module, "main") : nullptr;
  if (!tests || sees_libgssapi()) {
    std::cerr << (tests ? "libgssapi's names are here without the module" : dlerror()) << "\n";
    return 2;
  }
  return reinterpret_cast<int (*)(int, char**)>(tests)(argc, argv);
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv); }
