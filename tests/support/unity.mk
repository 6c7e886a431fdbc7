# SPDX-License-Identifier: MIT
# Becomes the GNUmakefile of each tree: what belongs to one target is compiled in lots of several files, in half the time. For the tests
# always; for the rooms in trees that only tests use (--enable-united-rooms). What users get is compiled file by file, which proves that files
# stand alone.
lots_of = 12
rooms_yes = libchannel_la libkernel_la libike_la libprotocol_la libbroker_la libclient_la libmech_ipsec_la libgss_glue_la libapi_la libtools_la
united = $(rooms_@enable_united_rooms@) libtest_support_la
united_programs = tests_unit_unit tests_glue_glue tests_differential_differential

files = $(filter %.cc,$($(1)_SOURCES))
lots = $(foreach first,$(shell seq 1 $(lots_of) $(words $(call files,$(1)))),unity/$(1)-$(first))
# Expanded in the rules of the Makefile, behind its lists of sources.
define unite
override $(1)_OBJECTS = $$(addsuffix .$(2),$$(call lots,$(1)))
endef
$(foreach target,$(united),$(eval $(call unite,$(target),lo)))
$(foreach target,$(united_programs),$(eval $(call unite,$(target),o)))

include Makefile
-include $(wildcard unity/*.d)
unity/%.d: ;

# Tests are not optimised, whatever the tree is: it takes longer than they run. (A command with more flags than the prelude had does without it.)
ifneq (,$(filter -O1 -O2 -O3,$(CXXFLAGS)))
unity/tests_% unity/libtest_% tests/unit/% tests/glue/% tests/support/glue_%: override CXXFLAGS += -O0 -U_FORTIFY_SOURCE
endif
# What fuzzers watch is in libraries.
%.lo prelude/all.h.gch/pic: override HARDENING_CXXFLAGS += @FUZZED_CXXFLAGS@

# Of the stem TARGET-FIRST.
target = $(firstword $(subst -, ,$*))
first = $(lastword $(subst -, ,$*))
lot = $(wordlist $(first),$(shell expr $(first) + $(lots_of) - 1),$(call files,$(target)))
unity_compile = $(CXX) $(DEFS) $(DEFAULT_INCLUDES) $(or $($(target)_CPPFLAGS),$(AM_CPPFLAGS)) $(CPPFLAGS) $(AM_CXXFLAGS) $(CXXFLAGS) \
  -MT $@ -MD -MP -MF unity/$*.d -c -o $@ $<

# CppUnit names registrations by the line, of which a lot has several.
unity/%.cc: Makefile
	@$(MKDIR_P) unity
	@{ case $* in tests_unit* | tests_glue*) printf '#include <cppunit/extensions/HelperMacros.h>\n#undef CPPUNIT_MAKE_UNIQUE_NAME\n'; \
	     echo '#define CPPUNIT_MAKE_UNIQUE_NAME(name) CPPUNIT_JOIN(name, __COUNTER__)' ;; esac; \
	   printf '#include "%s"\n' $(lot); } >$@
unity/%.lo: unity/%.cc | $(prelude)
	$(AM_V_CXX)$(LIBTOOL) $(AM_V_lt) --tag=CXX $(LIBTOOLFLAGS) --mode=compile $(unity_compile)
unity/%.o: unity/%.cc | $(prelude)
	$(AM_V_CXX)$(unity_compile)
.PRECIOUS: unity/%.cc
.SECONDARY:
