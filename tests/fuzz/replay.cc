// SPDX-License-Identifier: MIT
// Stands in for libFuzzer where the compiler has none: gives each file named on the command line, and each file of a
// folder named there, to the fuzz target once. Options (leading '-') are ignored, so the same command works for both.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

int run_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return 1;
}

int run(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return run_file(path);
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
    if (entry.is_regular_file()) count += run_file(entry.path());
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  int count = 0;
  for (int i = 1; i < argc; ++i)
    if (argv[i][0] != '-') count += run(argv[i]);
  std::printf("%d inputs replayed\n", count);
  return 0;
}
