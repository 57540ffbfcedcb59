/* The C interface of the capsule pyexpat.expat_CAPI; its layout is that of
 * pyexpat.h, since extension modules take it. */
#ifndef KR_MODULES_SHARED_EXPAT_CAPI_H
#define KR_MODULES_SHARED_EXPAT_CAPI_H

#include <expat.h>

#define KR_EXPAT_CAPI_MAGIC "pyexpat.expat_CAPI 1.1"

struct kr_expat_capi {
    const char *magic; /* KR_EXPAT_CAPI_MAGIC */
    int size, major, minor, micro;
    const XML_LChar *(*ErrorString)(enum XML_Error);
    enum XML_Error (*GetErrorCode)(XML_Parser);
    XML_Size (*GetErrorColumnNumber)(XML_Parser);
    XML_Size (*GetErrorLineNumber)(XML_Parser);
    enum XML_Status (*Parse)(XML_Parser, const char *, int, int);
    XML_Parser (*ParserCreate_MM)(const XML_Char *,
                                  const XML_Memory_Handling_Suite *,
                                  const XML_Char *);
    void (*ParserFree)(XML_Parser);
    void (*SetCharacterDataHandler)(XML_Parser, XML_CharacterDataHandler);
    void (*SetCommentHandler)(XML_Parser, XML_CommentHandler);
    void (*SetDefaultHandlerExpand)(XML_Parser, XML_DefaultHandler);
    void (*SetElementHandler)(XML_Parser, XML_StartElementHandler,
                              XML_EndElementHandler);
    void (*SetNamespaceDeclHandler)(XML_Parser, XML_StartNamespaceDeclHandler,
                                    XML_EndNamespaceDeclHandler);
    void (*SetProcessingInstructionHandler)(XML_Parser,
                                            XML_ProcessingInstructionHandler);
    void (*SetUnknownEncodingHandler)(XML_Parser, XML_UnknownEncodingHandler,
                                      void *);
    void (*SetUserData)(XML_Parser, void *);
    void (*SetStartDoctypeDeclHandler)(XML_Parser,
                                       XML_StartDoctypeDeclHandler);
    enum XML_Status (*SetEncoding)(XML_Parser, const XML_Char *);
    int (*DefaultUnknownEncodingHandler)(void *, const XML_Char *,
                                         XML_Encoding *);
    int (*SetHashSalt)(XML_Parser, unsigned long);
};

#endif
