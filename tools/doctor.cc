// SPDX-License-Identifier: MIT
#include "tools/doctor.h"

#include <stdlib.h>

#include <algorithm>

#include "tools/options.h"
#include "tools/print.h"
#include "tools/render.h"

namespace gssipsec::tools {

const char* grade_name(Grade grade) noexcept {
  switch (grade) {
    case Grade::ok: return "ok";
    case Grade::warning: return "warning";
    case Grade::problem: break;
  }
  return "problem";
}

ExitCode exit_code(const Findings& findings) noexcept {
  return std::ranges::any_of(findings, [](const Finding& finding) { return finding.grade == Grade::problem; }) ? kNotProtected : kProtected;
}

int run_doctor(const Options& options) {
  Findings findings;
  examine_broker(findings);
  examine_kernel({}, findings);
  if (options.pid >= 0) {
    const base::Status examined = examine_program(options.pid, findings);
    if (!examined.ok()) return complain(examined.error(), options.json);
  } else {
    const char* config = secure_getenv("GSS_MECH_CONFIG");
    examine_plugin({}, config ? config : "", findings);
  }
  print(options.json ? as_json(findings) : as_text(findings));
  return exit_code(findings);
}

}  // namespace gssipsec::tools
