# Native modules over a third-party library: NAME, sources, libraries.
kr_shared_module(zlib SOURCES src/modules/shared/zlib.c LIBRARIES z)
