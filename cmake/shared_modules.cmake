# Native modules over a third-party library: NAME, sources, libraries.
kr_shared_module(zlib SOURCES src/modules/shared/zlib.c LIBRARIES z)
foreach(hash _md5 _sha1 _sha256 _sha512 _sha3 _hashlib)
  kr_shared_module(${hash} SOURCES src/modules/shared/${hash}.c
    LIBRARIES crypto)
endforeach()
kr_shared_module(_bz2 SOURCES src/modules/shared/_bz2.c LIBRARIES bz2)
kr_shared_module(pyexpat SOURCES src/modules/shared/pyexpat.c LIBRARIES expat)
kr_shared_module(_elementtree
  SOURCES src/modules/shared/_elementtree/module.c
    src/modules/shared/_elementtree/element.c
    src/modules/shared/_elementtree/children.c
    src/modules/shared/_elementtree/find.c
    src/modules/shared/_elementtree/iter.c
    src/modules/shared/_elementtree/builder.c
    src/modules/shared/_elementtree/parser.c
  LIBRARIES expat)
kr_shared_module(_lzma
  SOURCES src/modules/shared/_lzma/module.c src/modules/shared/_lzma/filters.c
  LIBRARIES lzma)
