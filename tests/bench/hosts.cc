// SPDX-License-Identifier: MIT
#include "tests/bench/hosts.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/bench/acceptor.h"
#include "tests/bench/tcp.h"
#include "tests/support/source_dir.h"

namespace gssipsec::bench {
namespace {

namespace fs = std::filesystem;

void must(const char* what, int result) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + strerror(errno));
}

base::UniqueFd own_space() {
  base::UniqueFd fd(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  must("/proc/self/ns/net", fd.get());
  return fd;
}

void run(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

void end(pid_t pid) {
  if (pid <= 0) return;
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

void wait_for_octet(int fd, const char* whose) {
  char octet;
  if (read(fd, &octet, 1) != 1) throw std::runtime_error(std::string(whose) + " ended");
}

// The broker is a plain program beside this one.
std::string broker_program() { return (fs::read_symlink("/proc/self/exe").parent_path() / "../support/native_broker").string(); }

}  // namespace

Hosts::Hosts(const support::Krb5Ticket& ticket) {
  directory_ = (fs::temp_directory_path() / "gss-ipsec-bench.XXXXXX").string();
  if (mkdtemp(directory_.data()) == nullptr) throw std::runtime_error("no temporary directory");
  chmod(directory_.c_str(), 0755);
  must("a network namespace (run as root)", unshare(CLONE_NEWNET));
  first_space_ = own_space();
  int up[2], down[2];  // from the acceptor, to the acceptor
  must("pipe", pipe2(up, O_CLOEXEC));
  must("pipe", pipe2(down, O_CLOEXEC));
  const base::UniqueFd from(up[0]);
  base::UniqueFd in_child(up[1]), go(down[0]);
  acceptor_pipe_.reset(down[1]);
  must("fork", acceptor_ = fork());
  if (acceptor_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char octet;
    if (unshare(CLONE_NEWNET) != 0 || write(up[1], "n", 1) != 1 || read(down[0], &octet, 1) != 1) _exit(1);
    ask_second_broker();
    run_acceptor(ticket.keytab(), up[1]);
  }
  in_child.reset();
  wait_for_octet(from.get(), "the acceptor");
  second_space_.reset(open(("/proc/" + std::to_string(acceptor_) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  join_namespaces();
  const char *first = "fqdn:a.example.org", *second = "fqdn:b.example.org";
  first_broker_ = start_broker("a", "host-a.bin", first, second, first_space_.get());
  second_broker_ = start_broker("b", "host-b.bin", second, first, second_space_.get());
  ask_first_broker();
  must("write", static_cast<int>(write(acceptor_pipe_.get(), "g", 1)));
  wait_for_octet(from.get(), "the acceptor");
}

Hosts::~Hosts() {
  end(acceptor_);
  end(first_broker_.pid);
  end(second_broker_.pid);
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void Hosts::join_namespaces() {
  const std::string second = "nsenter --net=/proc/" + std::to_string(acceptor_) + "/ns/net ";
  run("ip link add bench0 type veth peer name bench1 netns " + std::to_string(acceptor_));
  run("ip address add " + std::string(kFirstAddress) + "/24 dev bench0 && ip link set bench0 up && ip link set lo up");
  run(second + "ip address add " + kSecondAddress + "/24 dev bench1 && " + second + "ip link set bench1 up && " + second + "ip link set lo up");
}

Hosts::Broker Hosts::start_broker(const char* host, const char* recording, const char* local, const char* remote, int space) {
  const std::string program = broker_program(), socket = broker_socket(host);
  const std::string records = support::source_path(std::string("tests/support/recordings/") + recording);
  const std::string configuration = directory_ + "/gssd.conf";
  std::ofstream(configuration) << "[[program]]\npath = " << fs::read_symlink("/proc/self/exe") << "\nkerberos = \"skip\"\n";
  int kernel[2];
  must("socketpair", socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, kernel));
  Broker broker{-1, base::UniqueFd(kernel[0])};
  const base::UniqueFd input(kernel[1]);
  must("fork", broker.pid = fork());
  if (broker.pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(input.get(), STDIN_FILENO) == STDIN_FILENO && setns(space, CLONE_NEWNET) == 0) execl(program.c_str(), "native_broker", records.c_str(), socket.c_str(), local, remote, configuration.c_str(), nullptr);
    _exit(127);
  }
  for (int tries = 0; tries < 500 && access(socket.c_str(), F_OK) != 0; ++tries) {
    if (waitpid(broker.pid, nullptr, WNOHANG) == broker.pid) throw std::runtime_error("the broker ended: " + program);
    usleep(10000);
  }
  return broker;
}

void Hosts::kernel_says(const base::Bytes& datagram) const {
  must("send", static_cast<int>(send(first_broker_.kernel.get(), datagram.data(), datagram.size(), 0)));
}

Hosts::Ends Hosts::connection_here() const {
  must("setns", setns(second_space_.get(), CLONE_NEWNET));
  const base::UniqueFd listener = listen_at(0);
  must("setns", setns(first_space_.get(), CLONE_NEWNET));
  Ends ends;
  ends.client = connect_to(port_of(listener.get()));
  ends.server = accept_one(listener.get());
  return ends;
}

void Hosts::ask_first_broker() const { setenv("GSS_IPSEC_BROKER", broker_socket("a").c_str(), 1); }
void Hosts::ask_second_broker() const { setenv("GSS_IPSEC_BROKER", broker_socket("b").c_str(), 1); }

}  // namespace gssipsec::bench
