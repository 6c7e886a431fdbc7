// SPDX-License-Identifier: MIT
// The mechanism where MIT krb5 looks for it: /etc/gss/mech and /etc/gss/mech.d/*.conf, or GSS_MECH_CONFIG alone; a plugin
// without a path lies in the library's own folder. Who names another plugin than the installed one may be the user of the process
// that root looks at: nothing but the installed plugin is ever loaded, and that only while nobody else can change it.
#include <dlfcn.h>
#include <glob.h>
#include <gss-ipsec/gss_ipsec.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>

#include "tools/doctor.h"
#include "tools/files.h"
#include "tools/interposer.h"

#ifndef GSS_IPSEC_PLUGIN_DIR
#define GSS_IPSEC_PLUGIN_DIR "/usr/lib/gss"
#endif

namespace gssipsec::tools {
namespace {

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
  return words && words->identifier == GSS_IPSEC_OID_MECHANISM ? std::optional(std::move(words->plugin)) : std::nullopt;
}

// None of what cannot be read.
std::istringstream stream_of(const std::string& file) {
  const auto text = read_file(file);
  return std::istringstream(text ? *text : std::string());
}

std::optional<Line> line_in(const std::string& file) {
  std::istringstream in = stream_of(file);
  for (std::string line; std::getline(in, line);)
    if (const auto plugin = plugin_of(line)) return Line{file, *plugin};
  return std::nullopt;
}

std::optional<Line> find_line(const std::string& root, const std::string& config, Findings& findings) {
  const std::vector<std::string> files = configured_files(root, config);
  for (const std::string& file : files)
    if (const auto line = line_in(file)) {
      findings.push_back({"mechanism", Grade::ok, "a line for mechanism ipsec", file + " names " + line->plugin, {}});
      return line;
    }
  const auto text = read_file(files.front());
  const bool unread = !config.empty() && !text;
  findings.push_back({"mechanism", Grade::problem, "a line for mechanism ipsec in " + (config.empty() ? root + "/etc/gss/mech.d/*.conf" : "GSS_MECH_CONFIG"),
                      unread ? config + " cannot be read: " + text.error().detail : "no file has one (" + std::to_string(files.size()) + " looked at)",
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

bool same_file(const struct stat& one, const char* other) {
  struct stat facts {};
  return stat(other, &facts) == 0 && facts.st_dev == one.st_dev && facts.st_ino == one.st_ino;
}

Finding judge_plugin(const std::string& path, const std::string& installed) {
  Finding finding{"plugin", Grade::problem, "a plugin that can be loaded", path, "install mech_ipsec.so in " GSS_IPSEC_PLUGIN_DIR " or name it by its full path"};
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return finding.found += std::string(": ") + strerror(errno), finding;
  finding.grade = Grade::warning;
  if (!same_file(facts, installed.c_str())) {
    finding.wanted = "the installed plugin, " + installed;
    finding.found += " is another file, of user " + std::to_string(facts.st_uid) + "; it is not looked into";
    finding.advice = "name the installed one, unless this one is wanted";
    return finding;
  }
  std::error_code gone;
  const std::string real = std::filesystem::canonical(installed, gone);
  if (!changeable_by_others(real).empty()) return finding.found += " is not loaded to see it, since others can change it", finding.advice = "see plugin-owner", finding;
  const std::string why = why_not_loadable(real);
  if (why.empty()) return finding.grade = Grade::ok, finding.advice.clear(), finding;
  finding.grade = Grade::problem;
  finding.found = why;
  return finding;
}

}  // namespace

void examine_plugin(const std::string& root, const std::string& config, Findings& findings) {
  const auto line = find_line(root, config, findings);
  if (!line) return;
  const std::string path = line->plugin[0] == '/' ? root + line->plugin : root + GSS_IPSEC_PLUGIN_DIR "/" + line->plugin;
  for (const std::string& file : {line->file, path})
    if (const std::string part = changeable_by_others(file); !part.empty())
      findings.push_back({"plugin-owner", Grade::problem, "files and folders that only root (or you) can change", part + " can be changed by others", "chown root, chmod go-w " + part});
  findings.push_back(judge_plugin(path, root + installed_plugin()));
}

Interposers find_interposers(const std::string& root, const std::string& config) {
  Interposers found{Interposer::absent, Interposer::absent};
  Interposer next = Interposer::there;
  for (const std::string& file : configured_files(root, config)) {
    std::istringstream in = stream_of(file);
    for (std::string line; std::getline(in, line);) {
      const auto words = words_of(line);
      if (!words || words->rest.find("<interposer>") == std::string::npos) continue;
      Interposer* ours = words->identifier == GSS_IPSEC_OID_INTERPOSER ? &found.kerberos : words->identifier == GSS_IPSEC_OID_SPNEGO_INTERPOSER ? &found.spnego : nullptr;
      if (!ours) next = Interposer::behind_another;
      else if (*ours == Interposer::absent) *ours = next;
    }
  }
  return found;
}

}  // namespace gssipsec::tools
