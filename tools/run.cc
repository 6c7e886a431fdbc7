// SPDX-License-Identifier: MIT
// ipsec-gss run: a program with the preload in front of libc.
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <string_view>

#include "base/unique_fd.h"
#include "tools/options.h"
#include "tools/run.h"

#ifndef GSS_IPSEC_LIBRARY_DIR
#define GSS_IPSEC_LIBRARY_DIR "/usr/lib/gss-ipsec"
#endif

namespace gssipsec::tools {
namespace {

namespace fs = std::filesystem;

// As env(1) and others do.
constexpr int kCannotRun = 126, kNotFound = 127;
constexpr char kDefaultPath[] = "/usr/local/bin:/usr/bin:/bin";

bool runnable(const fs::path& file) {
  std::error_code ignored;
  return fs::is_regular_file(file, ignored) && access(file.c_str(), X_OK) == 0;
}

int complain_of(const std::string& what, int code) {
  std::fprintf(stderr, "ipsec-gss run: %s\n", what.c_str());
  return code;
}

// The loader looks at what it is told to preload only in a program that has a loader.
bool is_static(const std::string& file) {
  const base::UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  Elf64_Ehdr header{};
  if (!fd || pread(fd.get(), &header, sizeof header, 0) != sizeof header || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return false;
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_phentsize != sizeof(Elf64_Phdr)) return false;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part{};
    if (pread(fd.get(), &part, sizeof part, static_cast<off_t>(header.e_phoff + i * sizeof part)) != sizeof part) return false;
    if (part.p_type == PT_INTERP) return false;
  }
  return true;
}

std::string joined(const std::string& library, const char* others) { return others && *others ? library + ":" + others : library; }

}  // namespace

std::vector<std::string> cut_program(int& argc, char** argv) {
  using std::string_view_literals::operator""sv;
  if (argc < 2 || argv[1] != "run"sv) return {};
  int at = 2;
  while (at < argc && argv[at][0] == '-' && argv[at] != "-"sv && argv[at] != "--"sv) at += argv[at] == std::string_view(kLibraryOption) ? 2 : 1;
  const int own = std::min(at, argc), first = own < argc && argv[own] == "--"sv ? own + 1 : own;
  std::vector<std::string> program(argv + first, argv + argc);
  argc = own;
  return program;
}

std::optional<std::string> find_program(const std::string& name, const std::string& path) {
  if (name.find('/') != std::string::npos) return runnable(name) ? std::optional(name) : std::nullopt;
  std::istringstream folders(path);
  for (std::string folder; std::getline(folders, folder, ':');)
    if (const fs::path file = fs::path(folder.empty() ? "." : folder) / name; runnable(file)) return file.string();
  return std::nullopt;
}

std::string why_not_preloaded(const std::string& file) {
  struct stat facts {};
  if (stat(file.c_str(), &facts) != 0) return file + ": " + strerror(errno);
  const char* const advice = " raises its privileges, and the loader ignores what it is told to preload there; let the program name its socket (mech_ipsec(7))";
  if (facts.st_mode & S_ISUID) return file + " is setuid: it" + advice;
  if (facts.st_mode & S_ISGID) return file + " is setgid: it" + advice;
  if (getxattr(file.c_str(), "security.capability", nullptr, 0) > 0) return file + " has file capabilities: it" + advice;
  if (is_static(file)) return file + " is statically linked: nothing can be preloaded there; let the program name its socket (mech_ipsec(7))";
  return {};
}

int run_program(const Options& options) {
  const std::string library = options.library.empty() ? GSS_IPSEC_LIBRARY_DIR "/libgss-ipsec-preload.so" : fs::absolute(options.library).string();
  if (access(library.c_str(), R_OK) != 0) return complain_of(library + ": " + strerror(errno), kCannotRun);
  if (library.find_first_of(": ") != std::string::npos) return complain_of(library + ": the loader takes no path with a colon or blank", kCannotRun);
  const char* const path = getenv("PATH");
  const auto file = find_program(options.program.front(), path ? path : kDefaultPath);
  if (!file) return complain_of(options.program.front() + ": no such program", kNotFound);
  if (const std::string why = why_not_preloaded(*file); !why.empty()) return complain_of(why, kCannotRun);
  setenv("LD_PRELOAD", joined(library, getenv("LD_PRELOAD")).c_str(), 1);
  if (options.thread) setenv("GSS_IPSEC_PRELOAD", "thread", 1);
  std::vector<char*> words;
  for (const std::string& word : options.program) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execv(file->c_str(), words.data());
  return complain_of(*file + ": " + strerror(errno), errno == ENOENT ? kNotFound : kCannotRun);
}

}  // namespace gssipsec::tools
