// SPDX-License-Identifier: MIT
// The resolver against the real kernel, by random databases and flows:
//   differential A B C --seed S --cases N [--first M]     cases M to M+N-1
//   differential A B C --seed S --case K                  one case, told in full
//   --progress FILE                                       writes the case that is played there before it is: a kernel may die of it
// A, B and C are the namespaces of the lab's topology "differential". Root. Prints a report; exit code 1 when anything
// disagreed, or when the run did not meet what it should have met.
#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>

#include "tests/differential/stage.h"

namespace {

using namespace gssipsec::differential;

struct Options {
  std::string a, b, aside, progress;
  std::uint64_t seed = 1, first = 0, cases = 100;
  bool verbose = false;
};

bool read(const char* text, std::uint64_t& value) {
  const char* end = text + std::strlen(text);
  return std::from_chars(text, end, value).ptr == end && text != end;
}

bool parse(int argc, char** argv, Options& options) {
  if (argc < 4) return false;
  options.a = argv[1];
  options.b = argv[2];
  options.aside = argv[3];
  for (int i = 4; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    std::uint64_t value = 0;
    if (name == "--progress") {
      options.progress = argv[i + 1];
      continue;
    }
    if (!read(argv[i + 1], value)) return false;
    if (name == "--seed") options.seed = value;
    else if (name == "--first") options.first = value;
    else if (name == "--cases") options.cases = value;
    else if (name == "--case") options.first = value, options.cases = 1, options.verbose = true;
    else return false;
  }
  return argc % 2 == 0;
}

class Progress {
 public:
  explicit Progress(const std::string& path) : fd_(path.empty() ? -1 : ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) {}
  void at(std::uint64_t number) const {
    char text[24];
    const int length = std::snprintf(text, sizeof text, "case %llu\n", static_cast<unsigned long long>(number));
    if (fd_ && ::pwrite(fd_.get(), text, static_cast<std::size_t>(length), 0) != length) give_up("progress");
  }

 private:
  gssipsec::base::UniqueFd fd_;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) return std::fputs("differential A B C [--seed S] [--cases N] [--first M] [--case K] [--progress FILE]\n", stderr), 2;
  utsname kernel{};
  uname(&kernel);
  std::printf("kernel %s %s, seed %llu\n", kernel.release, kernel.machine, static_cast<unsigned long long>(options.seed));
  Stage stage(options.a, options.b, options.aside, options.verbose);
  const Progress progress(options.progress);
  for (std::uint64_t i = 0; i < options.cases; ++i) {
    progress.at(options.first + i);
    stage.play(make_scene(options.seed, options.first + i));
  }
  std::fputs(stage.tally().report().c_str(), stdout);
  const auto complaints = stage.tally().complaints();
  for (const std::string& complaint : complaints) std::printf("COMPLAINT %s\n", complaint.c_str());
  return stage.tally().disagreements() == 0 && complaints.empty() ? 0 : 1;
}
