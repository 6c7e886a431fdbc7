// SPDX-License-Identifier: MIT
// What of the kernel an unprivileged look can tell.
#include <sys/socket.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include "base/directory.h"
#include "base/unique_fd.h"
#include "tools/doctor.h"

namespace gssipsec::tools {
namespace {

constexpr int kNetlinkXfrm = 6;  // NETLINK_XFRM of linux/netlink.h, which is for room kernel

// Opening one loads the module where the kernel can.
void examine_xfrm(Findings& findings) {
  const base::UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, kNetlinkXfrm));
  if (socket) return findings.push_back({"xfrm", Grade::ok, "the kernel's IPsec interface (xfrm_user)", "is there", {}});
  findings.push_back({"xfrm", Grade::problem, "the kernel's IPsec interface (xfrm_user)", strerror(errno), "modprobe xfrm_user, or a kernel with CONFIG_XFRM_USER"});
}

bool names(const std::string& file, const std::string& part) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.find(part) != std::string::npos) return true;
  return false;
}

struct Module {
  const char *name, *transform;
};

// Loaded, built in, or to be loaded when the first SA comes.
void examine_module(const std::string& root, const Module& module, Findings& findings) {
  utsname kernel{};
  uname(&kernel);
  const std::string modules = root + "/lib/modules/" + kernel.release + "/", file = std::string("/") + module.name + ".ko";
  const std::string wanted = std::string("ESP for ") + module.transform;
  const bool loaded = names(root + "/proc/modules", std::string(module.name) + " ");
  const bool there = loaded || names(modules + "modules.builtin", file) || names(modules + "modules.dep", file);
  if (there) return findings.push_back({module.name, Grade::ok, wanted, loaded ? "is loaded" : "is there", {}});
  if (!std::ifstream(modules + "modules.dep").good())
    return findings.push_back({module.name, Grade::warning, wanted, "not loaded, and " + modules + " does not say whether it can be", {}});
  findings.push_back({module.name, Grade::problem, wanted, std::string("this kernel has no ") + module.name, "a kernel with CONFIG_INET_ESP and CONFIG_INET6_ESP"});
}

std::optional<long> number_in(const std::string& file) {
  std::ifstream in(file);
  long value = 0;
  if (!(in >> value)) return std::nullopt;
  return value;
}

std::vector<std::string> devices(const std::string& folder) {
  std::vector<std::string> found;
  const base::Directory directory(opendir(folder.c_str()));
  while (const dirent* entry = directory ? readdir(directory.get()) : nullptr) {
    const std::string name = entry->d_name;
    if (name[0] != '.' && name != "lo") found.push_back(name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Devices that let everything past IPsec. IPv6 has disable_policy only.
std::string exempt_devices(const std::string& folder) {
  std::string exempt;
  for (const std::string& device : devices(folder))
    for (const char* key : {"disable_xfrm", "disable_policy"})
      if (number_in(folder + "/" + device + "/" + key).value_or(0) != 0) exempt += " " + device + " (" + key + ")";
  return exempt;
}

void examine_devices(const std::string& root, Findings& findings) {
  const std::string wanted = "no device but lo that is exempt from IPsec";
  for (const std::string family : {"ipv4", "ipv6"}) {
    const std::string exempt = exempt_devices(root + "/proc/sys/net/" + family + "/conf");
    if (exempt.empty())
      findings.push_back({"devices-" + family, Grade::ok, wanted, "none is", {}});
    else
      findings.push_back({"devices-" + family, Grade::problem, wanted, "exempt:" + exempt, "set these to 0 below net." + family + ".conf with sysctl(8)"});
  }
}

}  // namespace

void examine_kernel(const std::string& root, Findings& findings) {
  examine_xfrm(findings);
  for (const Module& module : {Module{"esp4", "IPv4"}, Module{"esp6", "IPv6"}}) examine_module(root, module, findings);
  examine_devices(root, findings);
}

}  // namespace gssipsec::tools
