// SPDX-License-Identifier: MIT
// Kerberos inside SPNEGO, with the interposer before SPNEGO and without: what a program gives or asks for reaches it.
#include <cppunit/extensions/HelperMacros.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <stdexcept>

#include "tests/glue/spnego_support.h"
#include "tests/support/child.h"

namespace gssipsec::tests {
namespace {

using protocol::KerberosUse;
using protocol::Verb;

constexpr in_addr_t kOwnAddress = 0x0a090901;

class SpnegoKerberosTest : public KerberosFixture {
  CPPUNIT_TEST_SUITE(SpnegoKerberosTest);
  CPPUNIT_TEST(a_wrong_sole_socket_is_kerberos_alone);
  CPPUNIT_TEST(a_named_socket_is_still_certain);
  CPPUNIT_TEST(the_programs_bindings_are_compared);
  CPPUNIT_TEST(canonical_names_are_spnegos);
  CPPUNIT_TEST(a_name_of_kerberos_line_is_kerberos_where_it_is_alone);
  CPPUNIT_TEST_SUITE_END();

 public:
  // The initiator's is named; the acceptor, which has no credential, takes the only connection of its process, and that is another one.
  void a_wrong_sole_socket_is_kerberos_alone() {
    twin_->knobs.man_in_the_middle = true;
    in_child([this] {
      if (!enter_own_network()) throw std::runtime_error("no network namespace of its own; these tests need root");
      const base::UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), sole(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      connect_by(listener, sole);
      Negotiation pair;
      kerberos_by(pair);
      name_socket(pair.connection.client.get());
      std::string token;
      pair.init(token);
      name_socket(-1);
      pair.accept(token);
      if (!pair.acceptor.status.ok()) throw std::runtime_error(pair.why());
      pair.init(token);
      if (!pair.initiator.status.ok() || pair.source.text() != kKerberosPeer) throw std::runtime_error("not Kerberos' peer: " + pair.source.text() + pair.why());
    });
    CPPUNIT_ASSERT_EQUAL(2, twin_->requests(Verb::bind));
  }

  void a_named_socket_is_still_certain() {
    twin_->knobs.man_in_the_middle = true;
    Negotiation pair;
    kerberos_by(pair);
    pair.names_sockets = true;
    CPPUNIT_ASSERT(!pair.run());
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_BINDINGS}, GSS_ROUTINE_ERROR(pair.acceptor.status.major));
  }

  void the_programs_bindings_are_compared() {
    twin_->fake().say({.ipsec_first = true});
    std::string data = "tls-unique:1", other = "tls-unique:2";
    gss_channel_bindings_struct own{}, others{};
    own.application_data = in(data), others.application_data = in(other);
    for (const bool names : {true, false}) {  // mechanism ipsec, where it is first, and Kerberos
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_COMPLETE}, shake_with(own, own, names));
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_BAD_BINDINGS}, shake_with(own, others, names));
    }
  }

  // Of a name that the program imported. One that came with a context has a mechanism already, and is read again (docs/decisions/0022).
  void canonical_names_are_spnegos() {
    for (const auto& [text, type] : {std::pair(kKerberosPeer, GSS_C_NT_USER_NAME), std::pair("host@server.example.org", GSS_C_NT_HOSTBASED_SERVICE)}) {
      const GssName written{text, type};
      GssName ours, past;
      OM_uint32 minor;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_canonicalize_name(&minor, written.get(), &spnego, ours.out()));
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_canonicalize_name(&minor, written.get(), past_interposer(), past.out()));
      CPPUNIT_ASSERT_EQUAL(past.text(), ours.text());
      CPPUNIT_ASSERT_EQUAL(exported(past), exported(ours));
      int same = -1;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_compare_name(&minor, ours.get(), written.get(), &same));
      CPPUNIT_ASSERT_EQUAL(1, same);
    }
  }

  // The line's identifier is what gss_inquire_name() tells of a peer.
  void a_name_of_kerberos_line_is_kerberos_where_it_is_alone() {
    KerberosPair pair;
    pair.must_shake();
    OM_uint32 minor;
    gss_OID line = GSS_C_NO_OID;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_name(&minor, pair.acceptor.source.get(), nullptr, &line, nullptr));
    CPPUNIT_ASSERT(is(line, project_oid(2)));
    const GssName written{"user", GSS_C_NT_USER_NAME};
    GssName canonical;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_canonicalize_name(&minor, written.get(), line, canonical.out()));
    gss_release_oid(&minor, &line);
    CPPUNIT_ASSERT_EQUAL(std::string(is_interposed() ? "user" : kKerberosPeer), canonical.text());
    for (const gss_name_t each : {written.get(), canonical.get()}) {
      int same = -1;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_compare_name(&minor, each, pair.acceptor.source.get(), &same));
      CPPUNIT_ASSERT_EQUAL(1, same);
    }
  }

 private:
  // Kerberos is chosen, and bound where it can be.
  void kerberos_by(Negotiation& pair) {
    use(KerberosUse::bind, KerberosUse::bind);
    must(pair.initiator.acquire(GSS_C_INITIATE, pair.connection.client.get()));
    pair.initiator.prefer({krb5});
  }

  static void connect_by(const base::UniqueFd& listener, const base::UniqueFd& sole) {
    sockaddr_in here{};
    socklen_t size = sizeof here;
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(kOwnAddress);
    auto* address = reinterpret_cast<sockaddr*>(&here);
    if (bind(listener.get(), address, size) != 0 || listen(listener.get(), 8) != 0 || getsockname(listener.get(), address, &size) != 0 || connect(sole.get(), address, size) != 0)
      throw std::runtime_error("no connection");
  }

  static OM_uint32 shake_with(gss_channel_bindings_struct& initiators, gss_channel_bindings_struct& acceptors, bool names) {
    KerberosPair pair;
    pair.initiator.mechanism = &spnego;
    std::string token;
    Status status;
    for (int leg = 0; leg < 8 && (leg == 0 || !token.empty()); ++leg) {
      if (names) name_socket((leg % 2 == 0 ? pair.connection.client : pair.connection.server).get());
      status = leg % 2 == 0 ? pair.initiator.begin(pair.target.get(), kUsualFlags, token, &initiators) : pair.acceptor.take(token, &acceptors);
      name_socket(-1);
      if (GSS_ERROR(status.major)) return GSS_ROUTINE_ERROR(status.major);
    }
    return status.major;
  }

  static std::string exported(const GssName& name) {
    Buffer octets;
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_export_name(&minor, name.get(), &octets));
    return octets.str();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SpnegoKerberosTest);

}  // namespace
}  // namespace gssipsec::tests
