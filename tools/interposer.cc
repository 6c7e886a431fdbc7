// SPDX-License-Identifier: MIT
#include "tools/interposer.h"

#include <errno.h>
#include <fcntl.h>
#include <gss-ipsec/gss_ipsec.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "base/unique_fd.h"
#include "tools/options.h"
#include "tools/print.h"
#include "tools/status.h"

namespace gssipsec::tools {
namespace {

std::string lines(Before before, const std::string& plugin) {
  const bool spnego = before == Before::spnego;
  const std::string option = spnego ? " --spnego" : "", name = spnego ? "ipsec-spnego " GSS_IPSEC_OID_SPNEGO_INTERPOSER : "ipsec-krb5 " GSS_IPSEC_OID_INTERPOSER;
  return "# Made by `ipsec-gss interposer enable" + option + "`; `ipsec-gss interposer disable" + option + "` removes it.\n" + name + " " + plugin + " <interposer>\n";
}

base::Error failed(const std::string& file, const char* call) { return base::system_error(base::Code::SYSTEM, (file + ": " + call).c_str(), errno); }

// A libgssapi that runs reads what is newer than all that it has read, so it would put the plugin before Kerberos in the middle of a program,
// and take the default credentials for those that the program made without it. A file as old as this is read by programs that begin, and by
// no other: they have read the line of the mechanism itself, which is newer.
constexpr timespec kLongAgo[] = {{1, 0}, {1, 0}};

base::Status write_whole(const std::string& file, const std::string& text) {
  const base::UniqueFd fd(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd) return failed(file, "open");
  if (write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) || fchmod(fd.get(), 0644) != 0 || futimens(fd.get(), kLongAgo) != 0 || fsync(fd.get()) != 0) return failed(file, "write");
  return {};
}

// Every program that uses GSS-API would look for it in vain.
base::Status look_for(const std::string& plugin) {
  struct stat facts {};
  if (stat(plugin.c_str(), &facts) != 0) return base::fail(base::Code::SYSTEM, "wanted the plugin " + plugin + ", found: " + strerror(errno) + "; install gss-ipsec first");
  if (!S_ISREG(facts.st_mode)) return base::fail(base::Code::SYSTEM, plugin + " is no regular file");
  return {};
}

}  // namespace

std::string installed_plugin() { return GSS_IPSEC_PLUGIN; }

std::string interposer_file(Before before) {
  return before == Before::spnego ? GSS_IPSEC_MECH_FOLDER "/ipsec-spnego.conf" : GSS_IPSEC_MECH_FOLDER "/ipsec-krb5.conf";
}

bool interposer_enabled(const std::string& file) { return access(file.c_str(), F_OK) == 0; }

base::Status enable_interposer(Before before, const std::string& file, const std::string& plugin) {
  if (const base::Status there = look_for(plugin); !there) return there;
  const std::string fresh = file + ".new";  // not *.conf, so nobody reads it
  if (const base::Status written = write_whole(fresh, lines(before, plugin)); !written) return written;
  return rename(fresh.c_str(), file.c_str()) == 0 ? base::Status() : failed(file, "rename");
}

base::Status disable_interposer(const std::string& file) {
  return unlink(file.c_str()) == 0 || errno == ENOENT ? base::Status() : failed(file, "unlink");
}

namespace {

int say_what_is_enabled(Before asked) {
  const std::string file = interposer_file(asked), other = interposer_file(Before::spnego);
  const bool enabled = interposer_enabled(file);
  print(enabled ? "enabled by " + file + "\n" : "disabled\n");
  if (asked == Before::kerberos && interposer_enabled(other)) print("before SPNEGO: enabled by " + other + "\n");
  return enabled ? kProtected : kNotProtected;
}

// Who takes the plugin away from before Kerberos wants it nowhere.
base::Status disable(Before asked) {
  if (const base::Status gone = disable_interposer(interposer_file(Before::spnego)); !gone || asked == Before::spnego) return gone;
  return disable_interposer(interposer_file(Before::kerberos));
}

}  // namespace

int run_interposer(const Options& options) {
  const Before asked = options.spnego ? Before::spnego : Before::kerberos;
  if (options.change.empty()) return say_what_is_enabled(asked);
  const base::Status changed = options.change == "enable" ? enable_interposer(asked, interposer_file(asked), installed_plugin()) : disable(asked);
  if (!changed) return complain(changed.error(), options.json);
  print(options.change + "d: programs that begin now follow; which of them, the broker's [[program]] lines say\n");
  return kProtected;
}

}  // namespace gssipsec::tools
