// SPDX-License-Identifier: MIT
// Writes down what the kernel says of its XFRM databases: record_netlink FILE [COMMAND]. The whole dump, every SA with
// its keys, then what the monitor hears while COMMAND runs (a shell line).
#include <poll.h>

#include <cstdio>
#include <cstdlib>

#include "kernel/xfrm.h"
#include "tests/support/recorded_netlink.h"

namespace {

using gssipsec::support::Recording;
using gssipsec::support::RecordingPort;

int complain(const gssipsec::base::Error& error) {
  std::fprintf(stderr, "record_netlink: %s\n", gssipsec::base::describe(error).c_str());
  return 1;
}

int record_databases(Recording& recording) {
  auto real = gssipsec::kernel::open_request_port(5000);
  if (!real) return complain(real.error());
  RecordingPort port(*std::move(real), recording, Recording::Kind::answer);
  const auto databases = gssipsec::kernel::dump(port);
  if (!databases) return complain(databases.error());
  // A look-up by name without a mark finds no SA that has one.
  for (const auto& sa : databases->sad.sas)
    if (const auto keys = gssipsec::kernel::read_keys(port, sa.id); !keys && keys.error().code != gssipsec::base::Code::SA_GONE) return complain(keys.error());
  std::printf("%zu policies, %zu SAs\n", databases->spd.policies.size(), databases->sad.sas.size());
  return 0;
}

int record_events(gssipsec::kernel::NetlinkPort& monitor, const char* command) {
  const int failed = std::system(command);
  std::size_t count = 0;
  pollfd entry{monitor.fd(), POLLIN, 0};
  while (::poll(&entry, 1, 500) > 0) {
    const auto got = monitor.receive();
    if (!got) return complain(got.error());
    count += !got->empty();
  }
  std::printf("%zu events\n", count);
  return failed;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  Recording recording;
  auto real = gssipsec::kernel::open_monitor_port();
  if (!real) return complain(real.error());
  RecordingPort monitor(*std::move(real), recording, Recording::Kind::event);
  if (const int failed = record_databases(recording); failed != 0) return failed;
  if (argc > 2)
    if (const int failed = record_events(monitor, argv[2]); failed != 0) return failed;
  const auto saved = recording.save(argv[1]);
  return saved ? 0 : complain(saved.error());
}
