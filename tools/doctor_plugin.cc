// SPDX-License-Identifier: MIT
// The mechanism where MIT krb5 looks for it: /etc/gss/mech and /etc/gss/mech.d/*.conf, or GSS_MECH_CONFIG alone; a plugin
// without a path lies in the library's own folder.
#include <dlfcn.h>
#include <glob.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include "tools/doctor.h"

#ifndef GSS_IPSEC_PLUGIN_DIR
#define GSS_IPSEC_PLUGIN_DIR "/usr/lib/gss"
#endif

namespace gssipsec::tools {
namespace {

constexpr const char* kMechanism = "1.2.840.113556.1.8000.2554.29037.34951.56904.17186.41534.6054741.10980991.1";
constexpr const char* kInterposer = "1.2.840.113556.1.8000.2554.29037.34951.56904.17186.41534.6054741.10980991.2";
constexpr const char* kEntry = "gss_init_sec_context";

std::vector<std::string> configured_files(const std::string& root, const std::string& config) {
  if (!config.empty()) return {config};
  std::vector<std::string> files{root + "/etc/gss/mech"};
  glob_t found{};
  if (glob((root + "/etc/gss/mech.d/*.conf").c_str(), 0, nullptr, &found) == 0) files.insert(files.end(), found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  return files;
}

struct Line {
  std::string file, plugin;
};

struct Words {
  std::string name, identifier, plugin, rest;
};

// The library reads no line that begins with a blank.
std::optional<Words> words_of(const std::string& line) {
  if (line.empty() || line[0] == '#' || line[0] == ' ' || line[0] == '\t') return std::nullopt;
  std::istringstream in(line);
  Words words;
  if (!(in >> words.name >> words.identifier >> words.plugin)) return std::nullopt;
  std::getline(in, words.rest);
  return words;
}

std::optional<std::string> plugin_of(const std::string& line) {
  auto words = words_of(line);
  return words && words->identifier == kMechanism ? std::optional(std::move(words->plugin)) : std::nullopt;
}

std::optional<Line> line_in(const std::string& file) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (const auto plugin = plugin_of(line)) return Line{file, *plugin};
  return std::nullopt;
}

bool readable(const std::string& file) { return std::ifstream(file).good(); }

// Whoever can write there runs code in every program that uses GSS-API.
bool writable_by_others(const std::string& file) {
  struct stat facts {};
  return stat(file.c_str(), &facts) == 0 && ((facts.st_mode & S_IWOTH) || (facts.st_uid != 0 && facts.st_uid != getuid()));
}

std::optional<Line> find_line(const std::string& root, const std::string& config, Findings& findings) {
  const std::vector<std::string> files = configured_files(root, config);
  for (const std::string& file : files)
    if (const auto line = line_in(file)) {
      findings.push_back({"mechanism", Grade::ok, "a line for mechanism ipsec", file + " names " + line->plugin, {}});
      return line;
    }
  const bool unread = !config.empty() && !readable(config);
  findings.push_back({"mechanism", Grade::problem, "a line for mechanism ipsec in " + (config.empty() ? root + "/etc/gss/mech.d/*.conf" : "GSS_MECH_CONFIG"),
                      unread ? config + " cannot be read" : "no file has one (" + std::to_string(files.size()) + " looked at)",
                      "install mech.conf as /etc/gss/mech.d/ipsec.conf, readable for everybody"});
  return std::nullopt;
}

struct Unload {
  void operator()(void* library) const noexcept { dlclose(library); }
};

// As the mechglue loads it.
std::string why_not_loadable(const std::string& path) {
  const std::unique_ptr<void, Unload> library(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE));
  if (!library) {
    const char* why = dlerror();
    return why ? why : path + " cannot be loaded";
  }
  return dlsym(library.get(), kEntry) ? "" : path + " is no GSS-API mechanism (no " + kEntry + ")";
}

}  // namespace

void examine_plugin(const std::string& root, const std::string& config, Findings& findings) {
  const auto line = find_line(root, config, findings);
  if (!line) return;
  const std::string path = line->plugin[0] == '/' ? root + line->plugin : root + GSS_IPSEC_PLUGIN_DIR "/" + line->plugin;
  for (const std::string& file : {line->file, path})
    if (writable_by_others(file))
      findings.push_back({"plugin-owner", Grade::problem, "files that only root (or you) can change", file + " can be changed by others", "chown root, chmod go-w " + file});
  const std::string why = why_not_loadable(path);
  if (why.empty())
    findings.push_back({"plugin", Grade::ok, "a plugin that can be loaded", path, {}});
  else
    findings.push_back({"plugin", Grade::problem, "a plugin that can be loaded", why, "install mech_ipsec.so in " GSS_IPSEC_PLUGIN_DIR " or name it by its full path"});
}

Interposer find_interposer(const std::string& root, const std::string& config) {
  Interposer found = Interposer::there;
  for (const std::string& file : configured_files(root, config)) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      const auto words = words_of(line);
      if (!words || words->rest.find("<interposer>") == std::string::npos) continue;
      if (words->identifier == kInterposer) return found;
      found = Interposer::behind_another;
    }
  }
  return Interposer::absent;
}

}  // namespace gssipsec::tools
