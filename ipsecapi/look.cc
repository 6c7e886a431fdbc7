// SPDX-License-Identifier: MIT
#include "ipsecapi/look.h"

#include "client/broker.h"
#include "client/connect.h"
#include "client/sockets.h"

namespace gssipsec::api {
namespace {

using base::Code;
using base::Result;
using client::Broker;
using protocol::Report;
using protocol::SurveyReply;

template <typename Reply, typename Question>
Result<Reply> of_one_connection(int fd, Question question) {
  const auto socket = client::named_socket(fd);
  if (!socket) return socket.error();
  Result<Reply> reply = question(fd);
  if (!reply) return reply;
  const base::Status same = client::same_socket(*socket);
  if (!same) return same.error();
  return reply;
}

Result<Report> query(int fd) { return Broker::query(fd, {protocol::Found::named}); }

// A broker of version 1 knows less.
Result<SurveyReply> survey(int fd) {
  auto reply = Broker::survey(fd, {});
  if (reply.ok() || reply.error().code != Code::PROTOCOL_VERSION) return reply;
  auto report = query(fd);
  if (!report) return report.error();
  SurveyReply less;
  less.report = *std::move(report);
  return less;
}

}  // namespace

Result<Report> look_at(int fd) { return of_one_connection<Report>(fd, query); }
Result<SurveyReply> survey_at(int fd) { return of_one_connection<SurveyReply>(fd, survey); }

Result<SurveyReply> survey_of(int fd, const protocol::SurveyRequest& request) {
  const auto cookie = client::internet_socket(fd);
  if (!cookie) return cookie.error();
  auto reply = Broker::survey(fd, request);
  if (reply.ok() && client::socket_cookie(fd) != *cookie) return base::fail(Code::SOCKET_CHANGED, "it was closed or reused meanwhile");
  return reply;
}

}  // namespace gssipsec::api
