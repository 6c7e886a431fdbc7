# SPDX-License-Identifier: MIT
# awk -f errors.awk base/errors.def PAGE.in: the page, with the list of all minor codes in the place of its line @ERRORS@.
FNR == NR {
  if ($0 !~ /^GSS_IPSEC_ERROR\(/) next
  number = name = text = $0
  sub(/^[^(]*\(/, "", number); sub(/,.*/, "", number)
  sub(/^[^,]*, */, "", name); sub(/,.*/, "", name)
  sub(/^[^"]*"/, "", text); sub(/"\)$/, "", text)
  list = list ".It Dv GSS_IPSEC_E_" name " Pq " number "\n" text "\n"
  next
}
$0 == "@ERRORS@" { printf "%s", list; next }
{ print }
