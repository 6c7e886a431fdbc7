// SPDX-License-Identifier: MIT
#include "tools/explain.h"

#include "client/broker.h"
#include "tools/process.h"

namespace gssipsec::tools {
namespace {

ExitCode explained_code(const Explained& one) noexcept {
  if (!one.reply.ok()) return tools::exit_code(one.reply.error().code);
  return one.reply->is_protected ? kProtected : kNotProtected;
}

}  // namespace

Explained explain_descriptor(int fd) { return {fd, client::Broker::explain(fd, {})}; }

Explained explain_flow(const channel::Flow& flow) { return {-1, client::Broker::explain(-1, {protocol::Found::named, flow})}; }

base::Result<std::vector<Explained>> explain_process(int pid) {
  std::vector<Explained> answers;
  const base::Status done = each_socket(pid, [&answers](int number, int copy) {
    answers.push_back(explain_descriptor(copy));
    answers.back().descriptor = number;
  });
  if (!done.ok()) return done.error();
  return answers;
}

ExitCode exit_code(const std::vector<Explained>& answers) noexcept {
  return worst_of(answers, [](const Explained& one) { return explained_code(one); });
}

}  // namespace gssipsec::tools
