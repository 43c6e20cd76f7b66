"""Small modules, made by hand and without TensorFlow, that have something of everything. Mutations start from them."""

import numpy as np

from tf1hub.format import dtypes, protos
from tf1hub.format.bundle_writer import BundleWriter

TOKENS = b"one\ntwo\n"
PLAIN = [number for number in range(1, 34) if number not in (dtypes.STRING, dtypes.RESOURCE, dtypes.VARIANT)]


def write_seeds(folder):
    """Writes a module for each kind of checkpoint into a folder of its own."""
    for name, write_checkpoint in CHECKPOINTS.items():
        directory = folder / name
        for path, data in module_files().items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_bytes(data)
        (directory / "variables").mkdir()
        write_checkpoint(directory / "variables/variables")


def module_files():
    """All files but the checkpoint."""
    saved_model = protos.SavedModel(saved_model_schema_version=1)
    for tags in ([], ["train"]):
        saved_model.meta_graphs.append(meta_graph(tags))
    return {
        "tfhub_module.pb": b"\x08\x03",
        "saved_model.pb": saved_model.SerializeToString(deterministic=True),
        "assets/tokens.txt": TOKENS,
    }


def _write_variables(writer):
    writer.add("w", np.arange(6, dtype=np.float32).reshape(2, 3))
    writer.add_slice("parts", (4, 3), (0, 0), np.ones((2, 3), np.float32))
    writer.add_slice("parts", (4, 3), (2, 0), np.ones((2, 3), np.float32))


def _mixed(prefix):
    with BundleWriter(prefix) as writer:
        _write_variables(writer)
        writer.add("texts", np.array([[b"", b"a\x00\xff"], [b"x" * 300, b"\xc3\xa4"]], object))
        writer.add("scalar", np.int64(7))
        writer.add("nothing", np.zeros((0, 3)))


def _sharded(prefix):
    full = np.arange(5 * 4 * 3, dtype=np.int16).reshape(5, 4, 3)
    with BundleWriter(prefix, 3) as writer:
        _write_variables(writer)
        for axis, sizes in enumerate([(2, 3), (1, 1, 2), (2, 1)]):
            at = 0
            for size in sizes:
                start = [0, 0, 0]
                start[axis] = at
                at += size
                piece = np.take(full, range(start[axis], at), axis)
                writer.add_slice(f"cut/{axis}", full.shape, start, piece)
        for number in range(40):
            writer.add(f"layer_{number:02}/kernel", np.full((number % 3, 2), number, np.float32))


def _dtypes(prefix):
    with BundleWriter(prefix) as writer:
        _write_variables(writer)
        writer.add("string", [b"a", b"b"])
        for number in PLAIN:
            size = dtypes.item_size(number) or 1
            writer.add_streamed(f"type/{dtypes.dtype_name(number)}", number, (2,), [bytes(2 * size)])


CHECKPOINTS = {"mixed": _mixed, "sharded": _sharded, "dtypes": _dtypes}


def node(name, op, *inputs, **attrs):
    """A node; an attribute is an AttrValue, text, a DataType number or a shape."""
    made = protos.NodeDef(name=name, op=op, input=inputs)
    for key, value in attrs.items():
        if isinstance(value, int):
            made.attr[key].type = value
        elif isinstance(value, str):
            made.attr[key].s = value.encode()
        elif isinstance(value, tuple):
            made.attr[key].shape.SetInParent()
            for size in value:
                made.attr[key].shape.dim.add(size=size)
        else:
            made.attr[key].CopyFrom(value)
    return made


def _text(value):
    tensor = protos.TensorProto(dtype=7, string_val=[value.encode()])
    return protos.AttrValue(tensor=tensor)


def _group(name):
    return protos.AttrValue(list=protos.AttrValue.ListValue(s=[b"loc:@" + name.encode()]))


def _calls(name):
    return protos.AttrValue(func=protos.NameAttrList(name=name))


def _nodes():
    for name, shape in (("w", (2, 3)), ("parts/part_0", (2, 3)), ("parts/part_1", (2, 3))):
        yield node(name, "VarHandleOp", dtype=1, shape=shape, shared_name=name)
        yield node(f"{name}/start", "Const", dtype=1, value=protos.AttrValue(tensor=protos.TensorProto(dtype=1)))
        yield node(f"{name}/Assign", "AssignVariableOp", name, f"{name}/start", dtype=1)
        yield node(f"{name}/Read", "ReadVariableOp", name, dtype=1, _class=_group(name))
    yield node("x", "Placeholder", dtype=1, shape=(-1, 2))
    yield node("y", "MatMul", "x", "w/Read", T=1, _class=_group("z"))
    yield node("z", "Identity", "y", "^x", T=1, _class=_group("y"))
    yield node("vocabulary", "Const", dtype=7, value=_text("placeholder"))
    yield node("table", "HashTableV2", shared_name="table", key_dtype=7, value_dtype=9)
    yield node("table/init", "InitializeTableFromTextFileV2", "table", "vocabulary", delimiter="\t")
    yield node("called", "PartitionedCall", "z", f=_calls("outer"), Tin=protos.AttrValue(list={"type": [1]}))
    yield node("loss", "L2Loss", "w/Read", T=1)
    yield node("update", "AssignSubVariableOp", "w", "loop/exit", dtype=1)
    yield node("loop/enter", "Enter", "z", frame_name="loop", T=1)
    yield node("loop/merge", "Merge", "loop/enter", "loop/next", T=1)
    yield node("loop/test", "LoopCond", "loop/merge")
    yield node("loop/switch", "Switch", "loop/merge", "loop/test", T=1)
    yield node("loop/next", "NextIteration", "loop/switch:1", T=1)
    yield node("loop/exit", "Exit", "loop/switch", T=1)


def _functions():
    for name, callee in (("outer", "inner"), ("inner", ""), ("unused", "outer")):
        function = protos.FunctionDef(signature=protos.OpDef(name=name))
        function.signature.input_arg.add(name="a", type=1)
        function.signature.output_arg.add(name="b", type=1)
        function.node_def.append(node("n", callee or "Identity", "a", T=1))
        function.attr["backward_function_name"].s = b"unused"
        function.ret["b"] = "n:output:0"
        yield function


def _variables():
    for name in ("w", "parts/part_0", "parts/part_1"):
        variable = protos.VariableDef(
            variable_name=f"{name}:0", initializer_name=f"{name}/Assign", snapshot_name=f"{name}/Read:0",
            initial_value_name=f"{name}/start:0", is_resource=True, trainable=True,
        )  # fmt: skip
        if name != "w":
            part = variable.save_slice_info_def
            part.full_name = "parts"
            part.full_shape.extend([4, 3])
            part.var_offset.extend([2 * int(name[-1]), 0])
            part.var_shape.extend([2, 3])
        yield variable.SerializeToString()


def _loop():
    loop = protos.WhileContextDef(
        context_name="loop", pivot_name="loop/test:0", pivot_for_pred_name="loop/merge:0",
        pivot_for_body_name="loop/switch:1", loop_exit_names=["loop/exit:0"], loop_enter_names=["loop/enter:0"],
        parallel_iterations=10,
    )  # fmt: skip
    loop.values_def.values.extend(["loop/merge:0", "loop/switch:0", "z:0"])
    loop.values_def.external_values["z:0"] = "loop/enter:0"
    nested = protos.CondContextDef(context_name="loop/cond", pred_name="loop/test:0", pivot_name="loop/switch:1")
    nested.values_def.values.append("loop/next:0")
    loop.nested_contexts.add().cond_ctxt.CopyFrom(nested)
    return loop.SerializeToString()


def meta_graph(tags):
    """A graph variant."""
    made = protos.MetaGraphDef()
    made.meta_info_def.tags.extend(tags)
    made.meta_info_def.tensorflow_version = "1.15.0"
    made.graph_def.node.extend(_nodes())
    made.graph_def.library.function.extend(_functions())
    made.graph_def.library.gradient.add(function_name="outer", gradient_func="unused")
    ops = made.meta_info_def.stripped_op_list.op
    for name in sorted({each.op for each in made.graph_def.node}):
        definition = ops.add(name=name, is_stateful=name in ("VarHandleOp", "HashTableV2"))
        if name not in ("VarHandleOp", "HashTableV2", "Const", "Placeholder"):
            definition.input_arg.add(name="a", type=1)
        definition.attr.add(name="container", type="string", default_value=protos.AttrValue(s=b""))
    collections = made.collection_def
    for key in ("variables", "trainable_variables"):
        collections[key].bytes_list.value.extend(_variables())
    collections["while_context"].bytes_list.value.append(_loop())
    collections["update_ops"].node_list.value.append("update")
    collections["regularization_losses"].node_list.value.append("loss:0")
    collections["table_initializer"].node_list.value.append("table/init")
    attached = protos.ModuleAttachment(key="size", value=protos.ImageModuleInfo().SerializeToString())
    collections["hub_module_attachments"].bytes_list.value.append(attached.SerializeToString())
    asset = protos.AssetFileDef(filename="tokens.txt", tensor_info=protos.TensorInfo(name="vocabulary:0"))
    collections["saved_model_assets"].any_list.value.add(value=asset.SerializeToString())
    signature = made.signature_def["default"]
    signature.inputs["default"].name, signature.inputs["default"].dtype = "x:0", 1
    signature.outputs["default"].name, signature.outputs["default"].dtype = "called:0", 1
    for part in ("values", "indices", "dense_shape"):
        setattr(signature.outputs["sparse"].coo_sparse, f"{part}_tensor_name", "z:0")
    ragged = signature.outputs["ragged"].composite_tensor
    ragged.type_spec.type_spec_class = 3
    ragged.components.add(name="z:0", dtype=1)
    made.signature_def["other"].outputs["default"].name = "y:0"
    return made
