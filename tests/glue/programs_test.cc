// SPDX-License-Identifier: MIT
// Programs that know nothing of the mechanism: Debian's gss-client and gss-server find their socket by themselves, Python
// loads libgssapi with RTLD_LOCAL, and a host program at a fixed address takes addresses of GSS functions. Programs that were
// built without sanitizers cannot load a plugin built with them: not run there.
#include <cppunit/extensions/HelperMacros.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include "tests/glue/gss_support.h"
#include "tests/support/child.h"
#include "tests/support/krb5_ticket.h"
#include "tests/support/twin_broker.h"
#include "tools/interposer.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

namespace gssipsec::tests {
namespace {

using protocol::Verb;

constexpr char kDotted[] = "1.2.840.113556.1.8000.2554.29037.34951.56904.17186.41534.6054741.10980991.1";
constexpr char kBraced[] = "{ 1 2 840 113556 1 8000 2554 29037 34951 56904 17186 41534 6054741 10980991 1 }";

bool installed(const char* program) { return access(program, X_OK) == 0; }

// A program with its output in a pipe.
class Program {
 public:
  explicit Program(std::vector<std::string> words) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    output_.reset(ends[0]);
    const base::UniqueFd writer(ends[1]);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    dup2(writer.get(), 1), dup2(writer.get(), 2);
    alarm(20);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  ~Program() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  // Reads until `text` came; false when the program ended before.
  bool says(const std::string& text) {
    char buffer[4096];
    while (said_.find(text) == std::string::npos) {
      const ssize_t size = read(output_.get(), buffer, sizeof buffer);
      if (size <= 0) return false;
      said_.append(buffer, static_cast<std::size_t>(size));
    }
    return true;
  }
  // Its exit code; reads the rest.
  int wait() {
    (void)says(std::string(1, '\x01'));
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  [[nodiscard]] const std::string& said() const { return said_; }

 private:
  pid_t pid_ = -1;
  base::UniqueFd output_;
  std::string said_;
};

void require(bool condition, const std::string& text) {
  if (!condition) throw std::runtime_error(text);
}

class ProgramsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ProgramsTest);
  CPPUNIT_TEST(gss_client_and_gss_server_find_their_sockets);
  CPPUNIT_TEST(gss_client_through_spnego_chooses_the_mechanism);
  CPPUNIT_TEST(gss_client_is_told_why_it_has_no_protection);
  CPPUNIT_TEST(two_connections_are_no_answer);
  CPPUNIT_TEST(python_makes_contexts_by_credential_store);
  CPPUNIT_TEST(a_program_at_a_fixed_address_works);
  CPPUNIT_TEST(who_runs_is_not_disturbed_by_a_line_that_comes);
  CPPUNIT_TEST_SUITE_END();

  std::unique_ptr<TwinBroker> twin_;

 public:
  void setUp() override { twin_ = std::make_unique<TwinBroker>(); }
  void tearDown() override { twin_.reset(); }

  // A test that finds nothing to run would pass for nothing.
  static void wants(const char* program, const char* package) {
    require(installed(program), std::string(program) + " is missing; install " + package);
  }

  // In a network of its own, so that there is an address that is not loopback.
  static void converse(const std::vector<std::string>& client_options, const std::function<void(Program&, Program&)>& judge) {
    for (const char* program : {"/usr/bin/gss-client", "/usr/bin/gss-server"}) wants(program, "krb5-gss-samples");
    in_child([&] {
      require(enter_own_network(), "no network namespace of its own; these tests need root");
      Program server({"/usr/bin/gss-server", "-port", "4444", "-once", "-verbose", "test@server.example.org"});
      const bool started = server.says("starting...");
      require(started, "gss-server: " + server.said());
      std::vector<std::string> words = {"/usr/bin/gss-client", "-port", "4444"};
      words.insert(words.end(), client_options.begin(), client_options.end());
      words.insert(words.end(), {"10.9.9.1", "test@server.example.org", "attack at dawn"});
      Program client(words);
      judge(client, server);
    });
  }

  static void both_content(Program& client, Program& server) {
    const int code = client.wait();
    require(code == 0, "gss-client: " + client.said());
    (void)server.wait();
    require(server.said().find("attack at dawn") != std::string::npos, "gss-server: " + server.said());
    require(client.said().find("Signature verified.") != std::string::npos, "gss-client: " + client.said());
    require(server.said().find("ipsec:fqdn:client.example.org") != std::string::npos, "gss-server: " + server.said());
  }

  void gss_client_and_gss_server_find_their_sockets() {
    if (SANITIZED) return;
    twin_->knobs.retries = 1;
    converse({"-mech", kBraced}, both_content);
    CPPUNIT_ASSERT_EQUAL(1 + twin_->knobs.retries, twin_->requests(Verb::accept));
    CPPUNIT_ASSERT(twin_->initiated->found == protocol::Found::sole && twin_->accepted->found == protocol::Found::sole);
    CPPUNIT_ASSERT_EQUAL(std::string("test"), twin_->accepted->service);
  }

  void gss_client_through_spnego_chooses_the_mechanism() {
    if (SANITIZED) return;
    converse({"-spnego"}, both_content);
    CPPUNIT_ASSERT_EQUAL(1 + twin_->knobs.retries, twin_->requests(Verb::accept));
  }

  void gss_client_is_told_why_it_has_no_protection() {
    if (SANITIZED) return;
    twin_->knobs.initiate = base::Code::NO_POLICY;
    converse({"-mech", kBraced}, [](Program& client, Program&) {
      const int code = client.wait();
      require(code != 0, "gss-client believes that it is protected");
      require(client.said().find("no IPsec policy covers this connection") != std::string::npos, client.said());
    });
  }

  static base::UniqueFd connected_to(const base::UniqueFd& listener) {
    sockaddr_in there{};
    socklen_t size = sizeof there;
    base::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    require(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&there), &size) == 0 && connect(fd.get(), reinterpret_cast<sockaddr*>(&there), size) == 0, "no connection");
    return fd;
  }

  // The other ends are never accepted: they would be this process's, too.
  void two_connections_are_no_answer() {
    in_child([] {
      require(enter_own_network(), "no network namespace of its own; these tests need root");
      gss_OID_set_desc mechs{1, mech()};
      const auto acquire = [&] {
        GssCredential cred;
        Status status;
        status.major = gss_acquire_cred(&status.minor, GSS_C_NO_NAME, 0, &mechs, GSS_C_INITIATE, cred.out(), nullptr, nullptr);
        return status;
      };
      const auto finds_none = [&](const std::string& why) {
        const Status status = acquire();
        require(status.major == GSS_S_NO_CRED && status.minor == minor_of(base::Code::NO_SOCKET) && message_of(status).find(why) != std::string::npos, why + ": " + message_of(status));
      };
      const base::UniqueFd unconnected(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      finds_none("found no connection to another host");
      const Connection loopback;
      finds_none("found no connection to another host");
      sockaddr_in here{};
      here.sin_family = AF_INET;
      here.sin_addr.s_addr = htonl(0x0a090901);
      require(bind(listener.get(), reinterpret_cast<sockaddr*>(&here), sizeof here) == 0 && listen(listener.get(), 8) == 0, "no listener");
      const base::UniqueFd one = connected_to(listener);
      const Status sole = acquire();
      require(sole.ok(), "the only connection was not taken: " + message_of(sole));
      base::UniqueFd two = connected_to(listener);
      finds_none("found several connections");
      two.reset();
      require(acquire().ok(), "the only connection that is left was not taken");
    });
    CPPUNIT_ASSERT_EQUAL(2, twin_->requests(Verb::query));
  }

  static void run_script(const char* interpreter, const std::string& script, TwinBroker& twin) {
    if (SANITIZED) return;
    wants(interpreter, "python3-gssapi");
    Program program({interpreter, "-c", script});
    const int code = program.wait();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(program.said(), 0, code);
    CPPUNIT_ASSERT_EQUAL(1 + twin.knobs.retries, twin.requests(Verb::accept));
  }

  void python_makes_contexts_by_credential_store() {
    twin_->knobs.retries = 1;
    run_script("/usr/bin/python3", std::string("mech = '") + kDotted + "'\n" + R"(
import gssapi, socket
oid = gssapi.OID.from_int_seq(mech)
listener = socket.create_server(('127.0.0.1', 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
def cred(usage, sock):
    return gssapi.Credentials(usage=usage, mechs=[oid], store={'ipsec-socket': str(sock.fileno())})
name = gssapi.Name('test@server.example.org', gssapi.NameType.hostbased_service)
initiator = gssapi.SecurityContext(name=name, creds=cred('initiate', client), mech=oid, usage='initiate')
acceptor = gssapi.SecurityContext(creds=cred('accept', server), usage='accept')
token = None
while not (initiator.complete and acceptor.complete):
    token = initiator.step(token)
    if token:
        token = acceptor.step(token)
assert str(acceptor.initiator_name) == 'ipsec:fqdn:client.example.org'
for encrypt in (True, False):
    wrapped = initiator.wrap(b'attack at dawn', encrypt)
    assert b'dawn' in wrapped.message and wrapped.encrypted
    assert acceptor.unwrap(wrapped.message).message == b'attack at dawn'
initiator.verify_signature(b'x', acceptor.get_signature(b'x'))
try:
    initiator.verify_signature(b'y', acceptor.get_signature(b'x'))
except gssapi.exceptions.BadMICError:
    pass
else:
    raise SystemExit('a wrong signature was taken')
raw = gssapi.raw
iov = raw.IOV(raw.IOVBufferType.header, (raw.IOVBufferType.sign_only, b'signed'), b'in pieces', std_layout=False)
raw.wrap_iov(initiator, iov, True, None)
came = raw.IOV(*[(b.type, False, bytes(b.value)) for b in iov], std_layout=False)
raw.unwrap_iov(acceptor, came)
assert [bytes(b.value) for b in came if b.type == raw.IOVBufferType.data] == [b'in pieces']
attributes = {str(key, 'utf-8').split(' ')[1] if isinstance(key, bytes) else key.split(' ')[1]: value for key, value in acceptor.initiator_name.attributes.items()}
assert list(attributes['identity'].values) == [b'client.example.org'] and attributes['identity'].authenticated, attributes
)",
               *twin_);
  }

  // In such a program the addresses of functions that libgssapi knows are those of its own stubs.
  void a_program_at_a_fixed_address_works() {
    if (SANITIZED) return;
    wants("/usr/bin/cc", "gcc");
    char directory[] = "/tmp/fixed-host-XXXXXX";
    CPPUNIT_ASSERT(mkdtemp(directory));
    const std::string source = std::string(directory) + "/host.c", binary = std::string(directory) + "/host";
    std::ofstream(source) << R"(
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <stdio.h>
void *volatile addresses[] = {(void *)gss_export_cred, (void *)gss_acquire_cred_from, (void *)gss_wrap, (void *)gss_import_name,
                              (void *)gss_display_name, (void *)gss_store_cred, (void *)gss_set_sec_context_option};
int main(void) {
  gss_OID_desc mech = {35, "\x2a\x86\x48\x86\xf7\x14\x01\xbe\x40\x93\x7a\x81\xe2\x6d\x82\x91\x07\x83\xbc\x48\x81\x86\x22\x82\xc4\x3e\x82\xf1\xc6\x55\x85\x9e\x9c\x7f\x01"};
  gss_OID_set_desc mechs = {1, &mech};
  gss_cred_id_t cred = GSS_C_NO_CREDENTIAL, copy = GSS_C_NO_CREDENTIAL;
  gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
  gss_name_t name = GSS_C_NO_NAME;
  OM_uint32 minor, major;
  major = gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, &mechs, GSS_C_ACCEPT, &cred, NULL, NULL);
  if (major == 0) major = gss_export_cred(&minor, cred, &token);
  if (major == 0) major = gss_import_cred(&minor, &token, &copy);
  if (major == 0) major = gss_inquire_cred(&minor, copy, &name, NULL, NULL, NULL);
  printf("%08x %08x %d\n", major, minor, addresses[0] != NULL);
  gss_release_buffer(&minor, &token), gss_release_name(&minor, &name), gss_release_cred(&minor, &cred), gss_release_cred(&minor, &copy);
  return major != 0;
}
)";
    Program compiler({"/usr/bin/cc", "-no-pie", "-fno-pie", "-o", binary, source, "-lgssapi_krb5"});
    const int compiled = compiler.wait();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(compiler.said(), 0, compiled);
    Program host({binary});
    const int code = host.wait();
    CPPUNIT_ASSERT_EQUAL_MESSAGE(host.said(), 0, code);
    unlink(source.c_str()), unlink(binary.c_str()), rmdir(directory);
  }

  // As on a host: libgssapi reads its own folder, which is empty at first but for the mechanism's line, long there.
  static std::string enter_own_mechanisms() {
    require(unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                mount("none", "/etc/gss/mech.d", "tmpfs", 0, nullptr) == 0,
            "no mount namespace of its own; these tests need root, and the package libgssapi-krb5-2");
    std::ifstream known(getenv("GSS_MECH_CONFIG"));
    std::string name, oid, plugin;
    while (known >> name && name != "ipsec") known.ignore(4096, '\n');
    known >> oid >> plugin;
    require(oid == kDotted, "no line of the mechanism in GSS_MECH_CONFIG");
    std::ofstream("/etc/gss/mech.d/ipsec.conf") << "ipsec " << oid << ' ' << plugin << '\n';
    const timespec long_there[] = {{1600000000, 0}, {1600000000, 0}};
    require(utimensat(AT_FDCWD, "/etc/gss/mech.d/ipsec.conf", long_there, 0) == 0, "no time");
    unsetenv("GSS_MECH_CONFIG");
    return plugin;
  }

  // Default credentials would be taken for its own, which were made without the plugin between.
  void who_runs_is_not_disturbed_by_a_line_that_comes() {
    if (SANITIZED) return;
    wants("/usr/bin/python3", "python3-gssapi");
    const std::string script = R"(
import gssapi.raw as gss, os, time
krb5, spnego = (gss.OID.from_int_seq(oid) for oid in ('1.2.840.113554.1.2.2', '1.3.6.1.5.5.2'))
target = gss.import_name(b'host@server.example.org', gss.NameType.hostbased_service)
def facts(credentials):
    between = ['10980991' in gss.inquire_name(gss.canonicalize_name(gss.import_name(b'user'), mech)).mech.dotted_form for mech in (krb5, spnego)]
    tokens = [len(gss.init_sec_context(target, creds=creds, mech=mech).token) > 100 for creds, mech in zip(credentials, (krb5, spnego))]
    return f'between {between} tokens {tokens}'
held = [gss.acquire_cred_from({'ccache': os.environ['KRB5CCNAME']}, usage='initiate', mechs=[mech]).creds for mech in (krb5, spnego)]
os.environ['KRB5CCNAME'] = 'FILE:/nonexistent'
print('at first', facts(held), flush=True)
while not all(os.path.exists(f'/etc/gss/mech.d/ipsec-{before}.conf') for before in ('krb5', 'spnego')):
    time.sleep(0.01)
came = int(time.time())
while int(time.time()) == came:  # libgssapi looks at its folder once a second
    time.sleep(0.01)
gss.indicate_mechs()
print('later', facts(held), flush=True)
)";
    in_child([&] {
      const support::Krb5Ticket ticket;
      ticket.use();
      const std::string plugin = enter_own_mechanisms();
      Program holder({"/usr/bin/python3", "-c", script});
      require(holder.says("at first between [False, False] tokens [True, True]"), holder.said());
      for (const auto before : {tools::Before::kerberos, tools::Before::spnego}) require(tools::enable_interposer(before, tools::interposer_file(before), plugin).ok(), "not enabled");
      Program newcomer({"/usr/bin/python3", "-c", script});
      const int held = holder.wait(), came = newcomer.wait();
      require(held == 0 && holder.said().find("later between [False, False] tokens [True, True]") != std::string::npos, "who holds credentials: " + holder.said());
      require(came == 0 && newcomer.said().find("at first between [True, True] tokens [True, True]") != std::string::npos, "who begins: " + newcomer.said());
    });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ProgramsTest);

}  // namespace
}  // namespace gssipsec::tests
