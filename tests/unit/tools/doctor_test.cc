// SPDX-License-Identifier: MIT
// The doctor's eyes on made-up hosts: each finding both ways.
#include "tools/doctor.h"

#include <cppunit/extensions/HelperMacros.h>
#include <dlfcn.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "broker/metrics.h"
#include "tests/support/child.h"
#include "tests/support/fake_broker.h"
#include "tests/unit/tools/text.h"
#include "tools/interposer.h"
#include "tools/render.h"

namespace gssipsec::tools {
namespace {

using base::Code;
using tests::FakeBroker;
using tests::FakeRequest;

constexpr const char* kLine = "ipsec 1.2.840.113556.1.8000.2554.29037.34951.56904.17186.41534.6054741.10980991.1 ";

// The finding of this name; there must be exactly one.
Finding the(const Findings& findings, const std::string& check) {
  CPPUNIT_ASSERT_EQUAL_MESSAGE(check, std::ptrdiff_t{1}, std::ranges::count(findings, check, &Finding::check));
  const Finding found = *std::ranges::find(findings, check, &Finding::check);
  CPPUNIT_ASSERT_MESSAGE(check, !found.wanted.empty() && !found.found.empty());
  return found;
}

class DoctorTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(DoctorTest);
  CPPUNIT_TEST(without_a_line_there_is_no_mechanism);
  CPPUNIT_TEST(lines_are_read_as_the_library_reads_them);
  CPPUNIT_TEST(the_programs_own_file_counts_alone);
  CPPUNIT_TEST(the_installed_plugin_is_loaded_to_see_whether_it_can_be);
  CPPUNIT_TEST(another_plugin_is_never_loaded);
  CPPUNIT_TEST(a_plugin_that_others_can_change_is_not_loaded);
  CPPUNIT_TEST(nothing_that_a_process_names_is_loaded);
  CPPUNIT_TEST(what_a_process_makes_too_long_is_not_known);
  CPPUNIT_TEST(files_of_elsewhere_are_not_its_own);
  CPPUNIT_TEST(a_fifo_is_no_configuration);
  CPPUNIT_TEST(what_others_can_change_is_a_problem);
  CPPUNIT_TEST(modules_loaded_there_and_absent);
  CPPUNIT_TEST(exempt_devices_of_both_families);
  CPPUNIT_TEST(no_broker_is_one_problem);
  CPPUNIT_TEST(a_broker_that_tells_no_figures);
  CPPUNIT_TEST(figures_of_a_real_broker_are_understood);
  CPPUNIT_TEST(each_bad_figure_has_its_finding);
  CPPUNIT_TEST(sockets_are_judged_by_what_contexts_need);
  CPPUNIT_TEST(the_interposers_line_is_found);
  CPPUNIT_TEST(what_is_wanted_of_kerberos_needs_the_interposer);
  CPPUNIT_TEST(what_is_wanted_of_spnego_needs_its_interposer);
  CPPUNIT_TEST(a_bound_context_is_judged_by_what_became_of_it);
  CPPUNIT_TEST(problems_decide_the_exit_code);
  CPPUNIT_TEST(findings_as_text_and_json);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    mask_ = umask(022);
    char name[] = "/tmp/doctor-test-XXXXXX";
    root_ = mkdtemp(name);
    put("/etc/gss/mech.d/other.conf", "kerberos 1.2.3 other.so\n");
  }
  void tearDown() override {
    umask(mask_);
    std::filesystem::remove_all(root_);
  }

  void without_a_line_there_is_no_mechanism() {
    const Finding found = the(plugin(), "mechanism");
    CPPUNIT_ASSERT(found.grade == Grade::problem && has(found.advice, "/etc/gss/mech.d/ipsec.conf"));
    CPPUNIT_ASSERT(has(found.found, "2 looked at"));
  }

  void lines_are_read_as_the_library_reads_them() {
    for (const std::string before : {"#", " ", "\t"}) {
      put("/etc/gss/mech.d/ipsec.conf", before + kLine + "/gone.so\n");
      CPPUNIT_ASSERT(the(plugin(), "mechanism").grade == Grade::problem);
    }
    put("/etc/gss/mech.d/ipsec.conf", std::string("\n# comment\n") + kLine + "/gone.so <interposer>\n");
    CPPUNIT_ASSERT(the(plugin(), "mechanism").grade == Grade::ok);
    CPPUNIT_ASSERT(the(plugin(), "plugin").grade == Grade::problem);
    put("/etc/gss/mech.d/ipsec.conf", std::string("ipsec 1.2.3.4 /gone.so\n"));
    CPPUNIT_ASSERT(the(plugin(), "mechanism").grade == Grade::problem);
  }

  void the_programs_own_file_counts_alone() {
    put("/etc/gss/mech.d/ipsec.conf", std::string(kLine) + "/gone.so\n");
    put("/own.conf", "other 1.2.3 other.so\n");
    CPPUNIT_ASSERT(the(plugin(root_ + "/own.conf"), "mechanism").grade == Grade::problem);
    CPPUNIT_ASSERT(has(the(plugin(root_ + "/absent.conf"), "mechanism").found, "cannot be read"));
  }

  void the_installed_plugin_is_loaded_to_see_whether_it_can_be() {
    put("/etc/gss/mech", kLine + installed_plugin() + "\n");
    CPPUNIT_ASSERT(the(plugin(), "plugin").grade == Grade::problem && has(the(plugin(), "plugin").found, "No such file"));
    put(installed_plugin(), "no library");
    CPPUNIT_ASSERT(the(plugin(), "plugin").grade == Grade::problem);
    std::filesystem::remove(root_ + installed_plugin());
    put_library(installed_plugin());
    CPPUNIT_ASSERT(has(the(plugin(), "plugin").found, "no GSS-API mechanism"));
    CPPUNIT_ASSERT(loaded(installed_plugin()));
    // By any name.
    std::filesystem::create_symlink(root_ + installed_plugin(), root_ + "/link.so");
    put("/etc/gss/mech", kLine + std::string("/link.so\n"));
    CPPUNIT_ASSERT(has(the(plugin(), "plugin").found, "no GSS-API mechanism"));
  }

  void another_plugin_is_never_loaded() {
    put_library(installed_plugin());
    put_library("/other.so");
    put("/own.conf", kLine + std::string("/other.so\n"));
    const Finding found = the(plugin(root_ + "/own.conf"), "plugin");
    CPPUNIT_ASSERT(found.grade == Grade::warning && has(found.found, "another file, of user " + std::to_string(geteuid())) && has(found.wanted, installed_plugin()));
    CPPUNIT_ASSERT(!loaded("/other.so") && !loaded(installed_plugin()));
  }

  void a_plugin_that_others_can_change_is_not_loaded() {
    put_library(installed_plugin());
    put("/etc/gss/mech", kLine + installed_plugin() + "\n");
    const std::filesystem::path above = std::filesystem::path(root_ + installed_plugin()).parent_path().parent_path();
    chmod(above.c_str(), 0775);
    CPPUNIT_ASSERT(has(the(plugin(), "plugin-owner").found, above.string() + " can be changed"));
    CPPUNIT_ASSERT(the(plugin(), "plugin").grade == Grade::warning && !loaded(installed_plugin()));
  }

  void nothing_that_a_process_names_is_loaded() {
    const FakeBroker fake;
    put_library("/other.so");
    put("/own.conf", std::string(kLine) + root_ + "/other.so\n");
    const std::string file = root_ + "/" + std::string(200, 'x') + "/" + std::string(200, 'y');
    put(file.substr(root_.size()), "");
    std::filesystem::copy_file("/bin/sleep", file, std::filesystem::copy_options::overwrite_existing);
    const tests::Program program({file, "60"}, {"GSS_MECH_CONFIG=" + root_ + "/own.conf"});
    std::filesystem::remove(file);
    Findings findings;
    CPPUNIT_ASSERT(examine_program(program.pid(), findings).ok());
    CPPUNIT_ASSERT(has(the(findings, "mechanism").found, root_ + "/own.conf names " + root_ + "/other.so"));
    CPPUNIT_ASSERT(the(findings, "plugin").grade == Grade::warning && !loaded("/other.so"));
    // The broker's lines know it by the name that it was started under.
    CPPUNIT_ASSERT(the(findings, "program-kerberos").wanted.ends_with(file));
  }

  void what_a_process_makes_too_long_is_not_known() {
    const FakeBroker fake;
    std::vector<std::string> environment(12, "X=" + std::string(100'000, 'x'));
    environment.push_back("GSS_MECH_CONFIG=" + root_ + "/own.conf");
    const tests::Program program({"/bin/sleep", "60"}, environment);
    Findings findings;
    CPPUNIT_ASSERT(examine_program(program.pid(), findings).ok());
    CPPUNIT_ASSERT(the(findings, "program-files").grade == Grade::warning && has(the(findings, "program-files").found, "is longer than"));
    CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{0}, std::ranges::count(findings, "mechanism", &Finding::check));
  }

  void files_of_elsewhere_are_not_its_own() {
    for (const std::string config : {"", "/own.conf"}) CPPUNIT_ASSERT_EQUAL(std::string(), why_not_its_files(getpid(), config));
    CPPUNIT_ASSERT(has(why_not_its_files(getpid(), std::string("own.conf")), "is own.conf, below"));
    CPPUNIT_ASSERT(has(why_not_its_files(getpid(), base::fail(Code::SYSTEM, "a reason")), "a reason"));
    std::filesystem::create_directory(root_ + "/proc");
    tests::in_child([this] {
      const pid_t outside = getppid();
      if (unshare(CLONE_NEWNS) != 0) return;
      CPPUNIT_ASSERT(has(why_not_its_files(outside, std::string()), "another mount namespace"));
      CPPUNIT_ASSERT_EQUAL(0, mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
      CPPUNIT_ASSERT_EQUAL(0, mount("/proc", (root_ + "/proc").c_str(), nullptr, MS_BIND, nullptr));
      tests::in_child([this] {
        const pid_t above = getppid();
        CPPUNIT_ASSERT_EQUAL(0, chroot(root_.c_str()));
        CPPUNIT_ASSERT(has(why_not_its_files(above, std::string()), "another root folder"));
      });
    });
  }

  void a_fifo_is_no_configuration() {
    CPPUNIT_ASSERT_EQUAL(0, mkfifo((root_ + "/own.conf").c_str(), 0600));
    CPPUNIT_ASSERT(has(the(plugin(root_ + "/own.conf"), "mechanism").found, "is no regular file"));
    CPPUNIT_ASSERT(find_interposers(root_, root_ + "/own.conf").kerberos == Interposer::absent);
  }

  void what_others_can_change_is_a_problem() {
    put("/etc/gss/mech.d/ipsec.conf", std::string(kLine) + "/plugin.so\n");
    put("/plugin.so", "x");
    CPPUNIT_ASSERT_EQUAL(std::ptrdiff_t{0}, std::ranges::count(plugin(), "plugin-owner", &Finding::check));
    chmod((root_ + "/plugin.so").c_str(), 0666);
    CPPUNIT_ASSERT(has(the(plugin(), "plugin-owner").found, "plugin.so can be changed"));
    chmod((root_ + "/plugin.so").c_str(), 0644);
    chmod((root_ + "/etc/gss/mech.d/ipsec.conf").c_str(), 0646);
    CPPUNIT_ASSERT(has(the(plugin(), "plugin-owner").found, "ipsec.conf can be changed"));
  }

  void modules_loaded_there_and_absent() {
    utsname kernel{};
    uname(&kernel);
    const std::string modules = std::string("/lib/modules/") + kernel.release;
    CPPUNIT_ASSERT(the(host(), "esp4").grade == Grade::warning);
    put(modules + "/modules.dep", "kernel/net/ipv6/esp6.ko: kernel/crypto/authenc.ko\n");
    CPPUNIT_ASSERT(the(host(), "esp4").grade == Grade::problem);
    CPPUNIT_ASSERT(the(host(), "esp6").grade == Grade::ok);
    put(modules + "/modules.builtin", "kernel/net/ipv4/esp4.ko\n");
    CPPUNIT_ASSERT(the(host(), "esp4").grade == Grade::ok);
    put(modules + "/modules.builtin", "");
    put("/proc/modules", "esp4_offload 16384 0 - Live\n");
    CPPUNIT_ASSERT(the(host(), "esp4").grade == Grade::problem);
    put("/proc/modules", "esp4 28672 2 - Live\n");
    CPPUNIT_ASSERT_EQUAL(std::string("is loaded"), the(host(), "esp4").found);
  }

  void exempt_devices_of_both_families() {
    put("/proc/sys/net/ipv4/conf/lo/disable_xfrm", "1\n");
    put("/proc/sys/net/ipv4/conf/eth0/disable_xfrm", "0\n");
    CPPUNIT_ASSERT(the(host(), "devices-ipv4").grade == Grade::ok);
    put("/proc/sys/net/ipv4/conf/eth0/disable_xfrm", "1\n");
    CPPUNIT_ASSERT(the(host(), "devices-ipv4").grade == Grade::problem && has(the(host(), "devices-ipv4").found, "eth0 (disable_xfrm)"));
    CPPUNIT_ASSERT(the(host(), "devices-ipv6").grade == Grade::ok);
    put("/proc/sys/net/ipv6/conf/eth1/disable_policy", "1\n");
    CPPUNIT_ASSERT(has(the(host(), "devices-ipv6").found, "eth1 (disable_policy)"));
  }

  void no_broker_is_one_problem() {
    setenv("GSS_IPSEC_BROKER", (root_ + "/nobody").c_str(), 1);
    Findings findings;
    examine_broker(findings);
    unsetenv("GSS_IPSEC_BROKER");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, findings.size());
    CPPUNIT_ASSERT(the(findings, "broker").grade == Grade::problem && has(findings[0].found, "is it running?"));
  }

  void a_broker_that_tells_no_figures() {
    FakeBroker::Options options;
    options.handler = [](FakeBroker& fake, FakeRequest& request) {
      if (request.frame.header.verb != protocol::Verb::metrics) return fake.obey(request);
      FakeBroker::send(request.socket, encode_error(request.frame.header, base::fail(Code::NOT_ALLOWED)));
    };
    const FakeBroker fake(options);
    Findings findings;
    examine_broker(findings);
    CPPUNIT_ASSERT(the(findings, "broker").grade == Grade::ok);
    CPPUNIT_ASSERT(the(findings, "figures").grade == Grade::warning && has(the(findings, "figures").advice, "as root"));
  }

  // What the broker renders, so that a name changed at one end is noticed here.
  void figures_of_a_real_broker_are_understood() {
    broker::Metrics metrics;
    metrics.mirror_fresh = 1, metrics.policies = 4, metrics.sas = 2, metrics.policies_blocking = 1;
    broker::SourceState source;
    source.name = "vici", source.healthy = true;
    Findings findings;
    examine_figures(render(metrics, 0, {source}), findings);
    CPPUNIT_ASSERT_MESSAGE(as_text(findings), std::ranges::all_of(findings, [](const Finding& f) { return f.grade == Grade::ok; }));
    CPPUNIT_ASSERT_EQUAL(std::string("4 policies, 2 SAs"), the(findings, "mirror").found);
    metrics.policies_without_reqid = 3, metrics.workers_stuck = 2, source.healthy = false;
    findings.clear();
    examine_figures(render(metrics, 0, {source}), findings);
    CPPUNIT_ASSERT(the(findings, "ike-vici").grade == Grade::problem);
    CPPUNIT_ASSERT(the(findings, "reqid").grade == Grade::warning && has(the(findings, "reqid").found, "3 policies"));
    CPPUNIT_ASSERT(the(findings, "workers").grade == Grade::warning);
  }

  void each_bad_figure_has_its_finding() {
    Findings findings;
    examine_figures("", findings);
    CPPUNIT_ASSERT(the(findings, "mirror").grade == Grade::problem);
    CPPUNIT_ASSERT(the(findings, "ike").grade == Grade::problem);
    CPPUNIT_ASSERT(the(findings, "block-rule").grade == Grade::warning);
  }

  void sockets_are_judged_by_what_contexts_need() {
    protocol::Report report;
    report.is_protected = report.latchable = report.since_start = report.peer_authenticated = true;
    CPPUNIT_ASSERT(judge_socket({5, report}).grade == Grade::ok);
    CPPUNIT_ASSERT_EQUAL(std::string("socket-5"), judge_socket({5, report}).check);
    const auto with = [&report](auto change) {
      protocol::Report other = report;
      change(other);
      return judge_socket({5, other});
    };
    CPPUNIT_ASSERT(with([](auto& r) { r.peer_authenticated = false; }).grade == Grade::warning);
    CPPUNIT_ASSERT(with([](auto& r) { r.is_protected = false; }).grade == Grade::problem);
    CPPUNIT_ASSERT(with([](auto& r) { r.latch = protocol::LatchState::broken; }).grade == Grade::problem);
    CPPUNIT_ASSERT(has(with([](auto& r) { r.latchable = false, r.why_not_latchable = "reqid 0"; }).advice, "reqid 0"));
    CPPUNIT_ASSERT(has(with([](auto& r) { r.since_start = false; }).found, base::code_text(Code::STARTED_IN_CLEAR)));
    CPPUNIT_ASSERT(judge_socket({5, base::fail(Code::OTHER_NAMESPACE)}).grade == Grade::problem);
  }

  void the_interposers_line_is_found() {
    std::string line = kLine;
    line.replace(line.size() - 2, 1, "2");
    CPPUNIT_ASSERT(find_interposers(root_, {}).kerberos == Interposer::absent);
    for (const std::string& text : {"#" + line + "/x.so <interposer>\n", line + "/x.so\n", std::string(kLine) + "/x.so <interposer>\n"}) {
      put("/etc/gss/mech.d/ipsec.conf", text);
      CPPUNIT_ASSERT_MESSAGE(text, find_interposers(root_, {}).kerberos == Interposer::absent);
    }
    put("/etc/gss/mech.d/ipsec.conf", std::string(kLine) + "/x.so\n" + line + "/x.so <interposer>\n");
    CPPUNIT_ASSERT(find_interposers(root_, {}).kerberos == Interposer::there);
    CPPUNIT_ASSERT(find_interposers(root_, root_ + "/absent.conf").kerberos == Interposer::absent);
    put("/etc/gss/mech.d/proxymech.conf", "gssproxy_v1 2.16.840.1.113730.3.8.15.1 /proxymech.so <interposer>\n");
    CPPUNIT_ASSERT(find_interposers(root_, {}).kerberos == Interposer::there);
    put("/etc/gss/mech", "gssproxy_v1 2.16.840.1.113730.3.8.15.1 /proxymech.so <interposer>\n");
    CPPUNIT_ASSERT(find_interposers(root_, {}).kerberos == Interposer::behind_another);
    std::filesystem::remove(root_ + "/etc/gss/mech");
    CPPUNIT_ASSERT(find_interposers(root_, {}).spnego == Interposer::absent);
    std::string before_spnego = line;
    before_spnego.replace(before_spnego.size() - 2, 1, "8");
    put("/etc/gss/mech.d/ipsec-a.conf", before_spnego + "/x.so <interposer>\n");
    CPPUNIT_ASSERT_MESSAGE("our own line takes nothing from the other", find_interposers(root_, {}).kerberos == Interposer::there);
    CPPUNIT_ASSERT(find_interposers(root_, {}).spnego == Interposer::there);
    put("/etc/gss/mech", "gssproxy_v1 2.16.840.1.113730.3.8.15.1 /proxymech.so <interposer>\n");
    CPPUNIT_ASSERT(find_interposers(root_, {}).spnego == Interposer::behind_another);
  }

  void what_is_wanted_of_kerberos_needs_the_interposer() {
    using protocol::KerberosUse;
    const auto judged = [](KerberosUse use, bool without, Interposer interposer) { return judge_program("/usr/bin/psql", {use, without, false, 192, {}}, interposer); };
    const Finding off = judged(KerberosUse::off, false, Interposer::absent);
    CPPUNIT_ASSERT(off.grade == Grade::ok && has(off.found, "Kerberos' alone") && has(off.wanted, "/usr/bin/psql"));
    CPPUNIT_ASSERT(judged(KerberosUse::bind, false, Interposer::absent).grade == Grade::problem);
    CPPUNIT_ASSERT(judged(KerberosUse::off, true, Interposer::absent).grade == Grade::problem);
    CPPUNIT_ASSERT(judged(KerberosUse::skip, false, Interposer::behind_another).grade == Grade::warning);
    const Finding unseen = judged(KerberosUse::bind, false, Interposer::unseen);
    CPPUNIT_ASSERT(unseen.grade == Grade::warning && has(unseen.advice, "program-files"));
    const Finding skip = judged(KerberosUse::skip, true, Interposer::there);
    CPPUNIT_ASSERT(skip.grade == Grade::ok && has(skip.found, "192 bits") && has(skip.found, "without a ticket"));
  }

  void what_is_wanted_of_spnego_needs_its_interposer() {
    const auto judged = [](bool first, Interposer interposer) { return judge_negotiation("/usr/bin/curl", {{}, false, first, 128, {}}, interposer); };
    const Finding off = judged(false, Interposer::absent), on = judged(true, Interposer::there), absent = judged(true, Interposer::absent);
    CPPUNIT_ASSERT(off.grade == Grade::ok && has(off.found, "library's order") && has(off.wanted, "SPNEGO in /usr/bin/curl"));
    CPPUNIT_ASSERT(on.grade == Grade::ok && has(on.found, "ipsec before all others"));
    CPPUNIT_ASSERT(absent.grade == Grade::problem && has(absent.advice, "interposer enable --spnego"));
    CPPUNIT_ASSERT(judged(true, Interposer::behind_another).grade == Grade::warning && judged(true, Interposer::unseen).grade == Grade::warning);
  }

  void a_bound_context_is_judged_by_what_became_of_it() {
    using protocol::KerberosUse;
    protocol::BoundReply reply{KerberosUse::skip, false, false, 128, {}};
    CPPUNIT_ASSERT(judge_bound(5, reply).grade == Grade::warning && judge_bound(5, reply).check == "kerberos-5");
    CPPUNIT_ASSERT(judge_bound(5, base::fail(Code::NO_BROKER)).grade == Grade::warning);
    reply.before = protocol::BoundBefore{channel::Role::acceptor, protocol::Found::sole, "/usr/sbin/slapd", 1, KerberosUse::skip, Code::ok, {}};
    CPPUNIT_ASSERT(judge_bound(5, reply).grade == Grade::ok && judge_bound(5, reply).advice.empty());
    CPPUNIT_ASSERT_EQUAL(std::string("an acceptor's context of /usr/sbin/slapd (its only one): this end gives its bindings and offers that messages rest on the channel; whether the "
                                     "initiator gave the same and agreed only the program's trace tells (GSS_IPSEC_TRACE: \"the peer switched\")"),
                         judge_bound(5, reply).found);
    reply.before->role = channel::Role::initiator;
    CPPUNIT_ASSERT_EQUAL(std::string("an initiator's context of /usr/sbin/slapd (its only one): this end gives its bindings and agrees that messages rest on the channel; whether the "
                                     "acceptor gave the same and offered it only the program's trace tells (GSS_IPSEC_TRACE: \"SWITCH believed\")"),
                         judge_bound(5, reply).found);
    reply.before->use = KerberosUse::bind;
    CPPUNIT_ASSERT(judge_bound(5, reply).grade == Grade::ok && has(judge_bound(5, reply).found, "this end gives its bindings, and Kerberos protects the messages: the line leaves"));
    reply.before->why = Code::WEAK, reply.before->detail = "wanted 256 bits for this program, found 128";
    const Finding weak = judge_bound(5, reply);
    CPPUNIT_ASSERT(weak.grade == Grade::warning && has(weak.found, base::code_text(Code::WEAK)) && has(weak.advice, "found 128; a stronger proposal"));
    reply.before->use = KerberosUse::off, reply.before->why = Code::NO_POLICY;
    CPPUNIT_ASSERT(judge_bound(5, reply).grade == Grade::problem && has(judge_bound(5, reply).found, "not bound"));
    reply.before->why = Code::UNAVAILABLE, reply.before->detail = "the lines leave Kerberos alone on port 22";
    CPPUNIT_ASSERT(judge_bound(5, reply).grade == Grade::ok && has(judge_bound(5, reply).found, "not bound: the lines leave"));
  }

  void problems_decide_the_exit_code() {
    CPPUNIT_ASSERT_EQUAL(kProtected, exit_code(Findings{{"a", Grade::ok, "", "", ""}, {"b", Grade::warning, "", "", ""}}));
    CPPUNIT_ASSERT_EQUAL(kNotProtected, exit_code(Findings{{"a", Grade::ok, "", "", ""}, {"b", Grade::problem, "", "", ""}}));
  }

  void findings_as_text_and_json() {
    const Findings findings{{"ports", Grade::ok, "low ones", "all fine", ""}, {"esp4", Grade::problem, "ESP", "none\x1b[2J", "modprobe"}};
    const std::string text = as_text(findings);
    CPPUNIT_ASSERT(has(text, "ok       ports: all fine\nproblem  esp4: none?[2J\n         wanted: ESP\n         do: modprobe\n"));
    CPPUNIT_ASSERT(has(text, "1 problems, 0 warnings") && !has(text, "wanted: low ones"));
    CPPUNIT_ASSERT(has(as_json(findings), R"({"findings":[{"check":"ports","grade":"ok","wanted":"low ones","found":"all fine","do":""},{"check":"esp4","grade":"problem")"));
  }

 private:
  void put(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  // One that can be loaded, is no mechanism, and is nowhere in use.
  void put_library(const std::string& path) {
    Dl_info libc{};
    CPPUNIT_ASSERT(dladdr(reinterpret_cast<void*>(&getpid), &libc) != 0);
    put(path, "");
    std::filesystem::copy_file(std::filesystem::path(libc.dli_fname).parent_path() / "libutil.so.1", root_ + path, std::filesystem::copy_options::overwrite_existing);
  }
  [[nodiscard]] bool loaded(const std::string& path) const {
    std::ifstream maps("/proc/self/maps");
    return has({std::istreambuf_iterator<char>(maps), {}}, root_ + path);
  }
  [[nodiscard]] Findings plugin(const std::string& config = {}) const {
    Findings findings;
    examine_plugin(root_, config, findings);
    return findings;
  }
  [[nodiscard]] Findings host() const {
    Findings findings;
    examine_kernel(root_, findings);
    return findings;
  }

  std::string root_;
  mode_t mask_ = 0;
};

CPPUNIT_TEST_SUITE_REGISTRATION(DoctorTest);

}  // namespace
}  // namespace gssipsec::tools
