// SPDX-License-Identifier: MIT
// Fault points for tests (fault_points.def). Only a tree configured with --enable-fault-points has them; in any other reached()
// is nothing, and there is no list, no file and no word of them in the program. Threads: any.
#pragma once

namespace gssipsec::broker {

#define GSS_IPSEC_FAULT_POINT(name, latched) name,
enum class FaultPoint : unsigned char {
#include "broker/fault_points.def"
};
#undef GSS_IPSEC_FAULT_POINT

#ifdef GSS_IPSEC_FAULT_POINTS
// Ends the process by SIGKILL where the file that GSS_IPSEC_FAULT_FILE names (at the start) holds the point's name.
void reached(FaultPoint point) noexcept;
// A line for each point: its name, and "latched" or "open".
void list_fault_points();
#else
inline void reached(FaultPoint) noexcept {}
#endif

}  // namespace gssipsec::broker
