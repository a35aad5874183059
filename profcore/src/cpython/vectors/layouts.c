/* Prints what a layout table holds, by name, as CPython's own headers have it. For one interpreter at a time. */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <frameobject.h>
#include <stddef.h>
#include <stdio.h>
#if PY_VERSION_HEX >= 0x030e0000
#include <internal/pycore_interpframe_structs.h>
#include <internal/pycore_stackref.h>
#elif PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_frame.h>
#endif
#include <internal/pycore_interp.h>
#include <internal/pycore_runtime.h>

#define TELL(name, value) printf("%s %zu\n", name, (size_t)(value))
#define AT(name, type, field) TELL(name, offsetof(type, field))

int main(void) {
    AT("collecting.interpreter", PyThreadState, interp);
    AT("collecting.flag", PyInterpreterState, gc.collecting);
    AT("threads.next", PyThreadState, next);
    AT("threads.thread_id", PyThreadState, thread_id);
#if PY_VERSION_HEX < 0x030b0000
    AT("threads.head", PyInterpreterState, tstate_head);
    AT("state.frame", PyThreadState, frame);
    AT("frame.previous", PyFrameObject, f_back);
    AT("frame.code", PyFrameObject, f_code);
    AT("frame.position", PyFrameObject, f_lasti);
    AT("code.name", PyCodeObject, co_name);
    AT("code.bytecode", PyCodeObject, co_code);
#else
    AT("threads.head", PyInterpreterState, threads.head);
    typedef struct _PyInterpreterFrame Frame;
    AT("frame.previous", Frame, previous);
    AT("frame.owner", Frame, owner);
    TELL("owner.generator", FRAME_OWNED_BY_GENERATOR);
    AT("code.name", PyCodeObject, co_qualname);
    AT("code.bytecode", PyCodeObject, co_code_adaptive);
    AT("code.units", PyVarObject, ob_size);
#endif
#if PY_VERSION_HEX >= 0x030b0000 && PY_VERSION_HEX < 0x030d0000
    AT("state.cframe", PyThreadState, cframe);
#if PY_VERSION_HEX < 0x030c0000
    AT("frame.entered", Frame, is_entry);
#endif
    AT("cframe.current", _PyCFrame, current_frame);
    AT("frame.code", Frame, f_code);
    AT("frame.position", Frame, prev_instr);
#elif PY_VERSION_HEX >= 0x030d0000
    AT("state.frame", PyThreadState, current_frame);
    AT("frame.code", Frame, f_executable);
    AT("frame.position", Frame, instr_ptr);
#endif
#if PY_VERSION_HEX >= 0x030c0000
    AT("code.version", PyCodeObject, co_version);
#endif
#if PY_VERSION_HEX >= 0x030e0000
    TELL("owner.entry_from", FRAME_OWNED_BY_INTERPRETER);
    TELL("frame.tag_mask", Py_TAG_BITS);
#elif PY_VERSION_HEX >= 0x030c0000
    TELL("owner.entry_from", FRAME_OWNED_BY_CSTACK);
#endif
#if PY_VERSION_HEX >= 0x030f0000
    TELL("owner.highest", FRAME_OWNED_BY_INTERPRETER);
#elif PY_VERSION_HEX >= 0x030c0000
    TELL("owner.highest", FRAME_OWNED_BY_CSTACK);
#elif PY_VERSION_HEX >= 0x030b0000
    TELL("owner.highest", FRAME_OWNED_BY_FRAME_OBJECT);
#endif
#if PY_VERSION_HEX < 0x030c0000
    AT("runtime.thread_key", _PyRuntimeState, gilstate.autoTSSkey);
    AT("runtime.current", _PyRuntimeState, gilstate.tstate_current);
#elif PY_VERSION_HEX < 0x030f0000
    AT("runtime.thread_key", _PyRuntimeState, autoTSSkey);
#endif
    AT("code.file", PyCodeObject, co_filename);
    AT("code.first_line", PyCodeObject, co_firstlineno);
#if PY_VERSION_HEX < 0x030a0000
    AT("code.lines", PyCodeObject, co_lnotab);
#else
    AT("code.lines", PyCodeObject, co_linetable);
#endif
    AT("text.length", PyASCIIObject, length);
    AT("text.hash", PyASCIIObject, hash);
    AT("text.state", PyASCIIObject, state);
    TELL("text.ascii_data", sizeof(PyASCIIObject));
    TELL("text.compact_data", sizeof(PyCompactUnicodeObject));
    AT("bytes.length", PyVarObject, ob_size);
    AT("bytes.data", PyBytesObject, ob_sval);
    AT("object.type", PyObject, ob_type);
#if PY_VERSION_HEX >= 0x030d0000
    AT("told.free_threaded", _Py_DebugOffsets, free_threaded);
    AT("told.current_frame", _Py_DebugOffsets, thread_state.current_frame);
    AT("told.frame_previous", _Py_DebugOffsets, interpreter_frame.previous);
    AT("told.frame_code", _Py_DebugOffsets, interpreter_frame.executable);
    AT("told.frame_position", _Py_DebugOffsets, interpreter_frame.instr_ptr);
    AT("told.frame_owner", _Py_DebugOffsets, interpreter_frame.owner);
    AT("told.code_file", _Py_DebugOffsets, code_object.filename);
    AT("told.code_name", _Py_DebugOffsets, code_object.qualname);
    AT("told.code_lines", _Py_DebugOffsets, code_object.linetable);
    AT("told.code_first_line", _Py_DebugOffsets, code_object.firstlineno);
    AT("told.code_bytecode", _Py_DebugOffsets, code_object.co_code_adaptive);
    AT("told.object_type", _Py_DebugOffsets, pyobject.ob_type);
    AT("told.bytes_length", _Py_DebugOffsets, bytes_object.ob_size);
    AT("told.bytes_data", _Py_DebugOffsets, bytes_object.ob_sval);
    AT("told.text_state", _Py_DebugOffsets, unicode_object.state);
    AT("told.text_length", _Py_DebugOffsets, unicode_object.length);
    AT("told.text_ascii_data", _Py_DebugOffsets, unicode_object.asciiobject_size);
    AT("told.garbage", _Py_DebugOffsets, interpreter_state.gc);
    AT("told.collecting", _Py_DebugOffsets, gc.collecting);
    AT("told.threads_head", _Py_DebugOffsets, interpreter_state.threads_head);
#endif
    return 0;
}
