// SPDX-License-Identifier: MIT
// What a name tells beyond itself (RFC 6680), through libgssapi: a peer's attributes, who vouches for them, and that nobody
// can add to them.
#include <cppunit/extensions/HelperMacros.h>
#include <unistd.h>

#include <map>
#include <memory>

#include "tests/glue/context_fixture.h"

namespace gssipsec::tests {
namespace {

using base::Code;

const std::string kPrefix = "urn:oid:1.2.840.113556.1.8000.2554.29037.34951.56904.17186.41534.6054741.10980991.7 ";

struct Value {
  std::vector<std::string> texts;
  bool authenticated = false, complete = false;
};

class AttributesTest : public ContextFixture {
  CPPUNIT_TEST_SUITE(AttributesTest);
  CPPUNIT_TEST(a_peers_name_tells_what_ike_proved);
  CPPUNIT_TEST(an_acceptors_name_tells_its_services);
  CPPUNIT_TEST(nothing_is_authenticated_where_ike_authenticated_nobody);
  CPPUNIT_TEST(certificates_are_named_where_they_authenticated);
  CPPUNIT_TEST(a_key_identity_is_a_hash_of_the_key);
  CPPUNIT_TEST(facts_of_the_present_need_the_same_connection);
  CPPUNIT_TEST(facts_of_another_peer_are_not_told);
  CPPUNIT_TEST(names_that_somebody_wrote_have_no_attributes);
  CPPUNIT_TEST(one_after_another_and_then_no_more);
  CPPUNIT_TEST(attributes_cannot_be_changed);
  CPPUNIT_TEST(copies_tell_the_same);
  CPPUNIT_TEST(a_composite_name_keeps_its_attributes_but_not_their_proof);
  CPPUNIT_TEST(a_name_is_shown_as_what_it_is);
  CPPUNIT_TEST_SUITE_END();

  gss_name_t client() { return pair_->acceptor.source.get(); }
  GssName server() {
    GssName target;
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_context(&minor, pair_->initiator.context, nullptr, target.out(), nullptr, nullptr, nullptr, nullptr, nullptr));
    return target;
  }

  static std::vector<std::string> names_of(gss_name_t name) {
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    OM_uint32 minor;
    int is_mn = 0;
    gss_OID mn = GSS_C_NO_OID;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_inquire_name(&minor, name, &is_mn, &mn, &set));
    CPPUNIT_ASSERT(is_mn && mn && mn->length == mech()->length);
    std::vector<std::string> names;
    for (std::size_t i = 0; set && i < set->count; ++i) names.emplace_back(static_cast<const char*>(set->elements[i].value), set->elements[i].length);
    gss_release_buffer_set(&minor, &set);
    gss_release_oid(&minor, &mn);
    return names;
  }
  static Status get(gss_name_t name, const std::string& attribute, Value& out) {
    gss_buffer_desc wanted = in(attribute);
    Status status;
    for (int more = -1; more != 0;) {
      Buffer value, shown;
      int authenticated = 9, complete = 9;
      status.major = gss_get_name_attribute(&status.minor, name, &wanted, &authenticated, &complete, &value, &shown, &more);
      if (!status.ok()) {
        CPPUNIT_ASSERT_EQUAL(0, more);
        return status;
      }
      CPPUNIT_ASSERT_EQUAL(value.str(), shown.str());
      out.texts.push_back(value.str());
      out.authenticated = authenticated == 1;
      out.complete = complete == 1;
    }
    return status;
  }
  static std::map<std::string, Value> all(gss_name_t name) {
    std::map<std::string, Value> values;
    for (const std::string& attribute : names_of(name)) {
      CPPUNIT_ASSERT_MESSAGE(attribute, attribute.starts_with(kPrefix));
      CPPUNIT_ASSERT(get(name, attribute, values[attribute.substr(kPrefix.size())]).ok());
    }
    return values;
  }
  static std::string one(const std::map<std::string, Value>& values, const std::string& name) {
    const auto found = values.find(name);
    return found == values.end() || found->second.texts.size() != 1 ? std::string("none") : found->second.texts[0];
  }

 public:
  void a_peers_name_tells_what_ike_proved() {
    shake();
    const auto values = all(client());
    const std::map<std::string, std::string> wanted = {{"identity-type", "fqdn"}, {"identity", "client.example.org"}, {"authentication-method", "certificate"},
                                                       {"algorithms", "AES_GCM_16-128"}, {"key-bits", "128"}, {"mode", "transport"}, {"latched", "true"},
                                                       {"integrity", "true"}, {"confidentiality", "true"}, {"replay-protection", "true"},
                                                       {"protected-since-start", "true"}, {"ike-connection", "twins"},
                                                       {"certificate-alternative-name", "fqdn:client.example.org"}};
    for (const auto& [name, text] : wanted) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, text, one(values, name));
      CPPUNIT_ASSERT(values.at(name).authenticated && values.at(name).complete);
    }
    CPPUNIT_ASSERT_EQUAL(wanted.size(), values.size());
  }

  void an_acceptors_name_tells_its_services() {
    shake();
    const GssName name = server();
    const auto values = all(name.get());
    CPPUNIT_ASSERT((values.at("services").texts == std::vector<std::string>{"test", "host"}));
    CPPUNIT_ASSERT_EQUAL(std::string("server.example.org"), one(values, "identity"));
  }

  void nothing_is_authenticated_where_ike_authenticated_nobody() {
    twin_->knobs.peer_authenticated = false;
    pair_ = std::make_unique<Pair>();
    pair_->request = GSS_C_INTEG_FLAG;
    pair_->must_shake();
    const auto values = all(client());
    CPPUNIT_ASSERT(values.size() > 5);
    for (const auto& [name, value] : values) CPPUNIT_ASSERT_MESSAGE(name, !value.authenticated);
  }

  void certificates_are_named_where_they_authenticated() {
    twin_->knobs.peer_method = "pre-shared key of this pair";
    shake();
    const auto values = all(client());
    CPPUNIT_ASSERT_EQUAL(std::string("pre-shared key of this pair"), one(values, "authentication-method"));
    CPPUNIT_ASSERT_EQUAL(std::string("none"), one(values, "certificate-alternative-name"));
  }

  void a_key_identity_is_a_hash_of_the_key() {
    const std::string hash(64, 'a');
    twin_->knobs.client_name = "ipsec:key:sha256:" + hash;
    shake();
    CPPUNIT_ASSERT_EQUAL(hash, one(all(client()), "public-key-sha256"));
  }

  void facts_of_the_present_need_the_same_connection() {
    shake();
    CPPUNIT_ASSERT_EQUAL(std::string("transport"), one(all(client()), "mode"));
    const Connection other;
    twin_->knobs.report_peer = "fqdn:client.example.org";
    CPPUNIT_ASSERT(dup2(other.server.get(), pair_->connection.server.get()) >= 0);
    const auto values = all(client());
    CPPUNIT_ASSERT(one(values, "mode") == "none" && one(values, "latched") == "none" && one(values, "identity") == "client.example.org");
  }

  void facts_of_another_peer_are_not_told() {
    shake();
    twin_->knobs.report_peer = "fqdn:mallory.example.org";
    CPPUNIT_ASSERT_EQUAL(std::string("none"), one(all(client()), "authentication-method"));
    twin_->knobs.report_peer = "";
    twin_->knobs.query = Code::NO_POLICY;
    CPPUNIT_ASSERT_EQUAL(std::string("none"), one(all(client()), "authentication-method"));
  }

  void names_that_somebody_wrote_have_no_attributes() {
    for (const auto& [text, type] : std::vector<std::pair<std::string, gss_OID>>{{"ipsec:fqdn:server.example.org", project_oid(3)}, {"ldap@server", GSS_C_NT_HOSTBASED_SERVICE}}) {
      const GssName name(text, type);
      GssName own;
      OM_uint32 minor;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_canonicalize_name(&minor, name.get(), mech(), own.out()));
      CPPUNIT_ASSERT(names_of(own.get()).empty());
      Value value;
      CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, get(own.get(), kPrefix + "identity", value).major);
    }
  }

  void one_after_another_and_then_no_more() {
    shake();
    const GssName name = server();
    std::string attribute = kPrefix + "services", unknown = kPrefix + "shoe-size";
    gss_buffer_desc wanted = in(attribute);
    OM_uint32 minor;
    int more = 2;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, gss_get_name_attribute(&minor, name.get(), &wanted, nullptr, nullptr, nullptr, nullptr, &more));
    CPPUNIT_ASSERT_EQUAL(0, more);
    more = -1;
    wanted = in(unknown);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, gss_get_name_attribute(&minor, name.get(), &wanted, nullptr, nullptr, nullptr, nullptr, &more));
    CPPUNIT_ASSERT(more == 0 && minor == minor_of(Code::UNAVAILABLE));
  }

  void attributes_cannot_be_changed() {
    shake();
    std::string attribute = kPrefix + "user", root = "root";
    gss_buffer_desc name = in(attribute), value = in(root);
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, gss_set_name_attribute(&minor, client(), 1, &name, &value));
    CPPUNIT_ASSERT_EQUAL(minor_of(Code::UNAVAILABLE), minor);
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, gss_delete_name_attribute(&minor, client(), &name));
    gss_any_t any = nullptr;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{GSS_S_UNAVAILABLE}, gss_map_name_to_any(&minor, client(), 1, &name, &any));
    CPPUNIT_ASSERT_EQUAL(std::string("none"), one(all(client()), "user"));
  }

  void copies_tell_the_same() {
    shake();
    GssName copy;
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_duplicate_name(&minor, client(), copy.out()));
    CPPUNIT_ASSERT_EQUAL(names_of(client()).size(), names_of(copy.get()).size());
  }

  void a_composite_name_keeps_its_attributes_but_not_their_proof() {
    shake();
    Buffer token, plain;
    OM_uint32 minor;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_export_name_composite(&minor, client(), &token));
    CPPUNIT_ASSERT_EQUAL(std::string("\x04\x02", 2), token.str().substr(0, 2));
    GssName read, own;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_import_name(&minor, &token, GSS_C_NT_COMPOSITE_EXPORT, read.out()));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_canonicalize_name(&minor, read.get(), mech(), own.out()));
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:client.example.org"), own.text());
    const auto values = all(own.get());
    CPPUNIT_ASSERT_EQUAL(std::string("certificate"), one(values, "authentication-method"));
    for (const auto& [name, value] : values) CPPUNIT_ASSERT_MESSAGE(name, !value.authenticated);
    int equal = 0;
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_compare_name(&minor, own.get(), client(), &equal));
    CPPUNIT_ASSERT(equal);
    std::string cut = token.str();
    cut.pop_back();
    gss_buffer_desc broken = in(cut);
    GssName none;
    const OM_uint32 imported = gss_import_name(&minor, &broken, GSS_C_NT_COMPOSITE_EXPORT, none.out());
    CPPUNIT_ASSERT(GSS_ERROR(imported) || GSS_ERROR(gss_canonicalize_name(&minor, none.get(), mech(), own.out())));
    CPPUNIT_ASSERT_EQUAL(OM_uint32{0}, gss_export_name(&minor, client(), &plain));
    CPPUNIT_ASSERT(plain.str() != token.str() && token.str().find(plain.str().substr(4)) == 4);
  }

  static std::string shown_as(gss_name_t name, gss_OID type) {
    Buffer text;
    OM_uint32 minor;
    return gss_display_name_ext(&minor, name, type, &text) == GSS_S_COMPLETE ? text.str() : std::string("none");
  }

  void a_name_is_shown_as_what_it_is() {
    shake();
    CPPUNIT_ASSERT_EQUAL(std::string("ipsec:fqdn:client.example.org"), shown_as(client(), project_oid(3)));
    CPPUNIT_ASSERT_EQUAL(std::string("none"), shown_as(client(), GSS_C_NT_HOSTBASED_SERVICE));
    CPPUNIT_ASSERT_EQUAL(std::string("none"), shown_as(client(), GSS_C_NT_USER_NAME));
    twin_->knobs.map_from = "ipsec:fqdn:client.example.org";
    twin_->knobs.map_to = "alice";
    CPPUNIT_ASSERT_EQUAL(std::string("alice"), shown_as(client(), GSS_C_NT_USER_NAME));
    CPPUNIT_ASSERT_EQUAL(std::string("none"), shown_as(client(), GSS_C_NT_STRING_UID_NAME));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AttributesTest);

}  // namespace
}  // namespace gssipsec::tests
