"""`make bench`: figures beside calibrations of the same run, on a private PostgreSQL. No test; nothing depends on it.

    make bench                                            every figure on an almost empty database
    make bench USERS=100000 FACTS=1000000                 the same beside a full database, and the lists of users
    make bench LOAD=1                                     throughput with 1, 2 and 4 web processes, a storm of sign-ins
    make bench LOAD=1 PROCESSES="2"                       the same with the numbers that are named
    make bench LOAD=1 USERS=1000000 FACTS=10000000        the same beside a full database

USERS and FACTS say how many rows are loaded into the second database; every person has FACTS / USERS facts. Calls are taken
in turn, a block here and a block there, so that whatever else slows the machine slows both alike; what is compared is
medians. QUIET names a file to lock: shared while rows are loaded, exclusively while something is measured, for a machine on
which others work too. KEEP names a file that tells of the databases of a run, which are then left for the next one.
"""
