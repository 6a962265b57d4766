//! The tree of an HTML text, as browsers build it. Nodes lie in one list, so that a tree of any depth is dropped without recursion; and a text
//! that browsers would not build deeper either is given up early, because building a tree takes time with its depth.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use html5ever::interface::{ElemName, ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, LocalName, Namespace, ParseOpts, QualName, parse_document};

/// Nodes of a tree.
const NODES_LIMIT: usize = 100_000;

/// Elements within each other; browsers stop at 512.
const DEPTH_LIMIT: usize = 256;

/// Attributes of the one `html` and the one `body`, which take over those of later tags.
const ATTRIBUTES_LIMIT: usize = 100;

/// Bytes between two looks at the limits.
const PIECE_BYTES: usize = 4_096;

/// A node's place in the list.
pub(super) type NodeId = usize;

const DOCUMENT: NodeId = 0;

/// An HTML text as nodes.
#[derive(Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

/// An element, a text, or something that does not matter here.
#[derive(Default)]
struct Node {
    parent: Option<NodeId>,
    children: Vec<NodeId>,
    depth: usize,
    content: Content,
}

#[derive(Default)]
enum Content {
    Element {
        name: QualName,
        attributes: Vec<Attribute>,
    },
    Text(String),
    #[default]
    Other,
}

/// Builds the tree; `None` when it is past a limit.
pub(super) fn tree(html: &str) -> Option<Tree> {
    let mut parser = parse_document(Builder::default(), ParseOpts::default());
    let mut rest = html;

    while !rest.is_empty() {
        let (piece, after) = rest.split_at_checked(rest.floor_char_boundary(PIECE_BYTES))?;
        parser.process(StrTendril::from(piece));
        if parser.tokenizer.sink.sink.is_past_limit() {
            return None;
        }
        rest = after;
    }
    Some(parser.finish())
}

impl Tree {
    /// All nodes but the document's, in the order of the text.
    pub(super) fn in_order(&self) -> Vec<NodeId> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut pending = vec![DOCUMENT];
        while let Some(node) = pending.pop() {
            order.push(node);
            pending.extend(self.children(node).iter().rev());
        }
        order
    }

    pub(super) fn children(&self, node: NodeId) -> &[NodeId] {
        self.nodes.get(node).map_or(&[], |node| &node.children)
    }

    /// The element's name in lower case; empty for other nodes.
    pub(super) fn name(&self, node: NodeId) -> &str {
        match self.nodes.get(node).map(|node| &node.content) {
            Some(Content::Element { name, .. }) => &name.local,
            Some(Content::Text(_) | Content::Other) | None => "",
        }
    }

    pub(super) fn attribute(&self, node: NodeId, wanted: &str) -> Option<&str> {
        match self.nodes.get(node).map(|node| &node.content) {
            Some(Content::Element { attributes, .. }) => {
                attributes.iter().find(|attribute| *attribute.name.local == *wanted).map(|attribute| &*attribute.value)
            }
            Some(Content::Text(_) | Content::Other) | None => None,
        }
    }

    /// All text within the node, with the bytes of it that fit into `limit_bytes` at least.
    pub(super) fn text(&self, node: NodeId, limit_bytes: usize) -> String {
        let mut text = String::new();
        let mut pending = vec![node];
        while let Some(node) = pending.pop().filter(|_| text.len() <= limit_bytes) {
            if let Some(Content::Text(piece)) = self.nodes.get(node).map(|node| &node.content) {
                text.push_str(piece);
            }
            pending.extend(self.children(node).iter().rev());
        }
        text
    }

    fn push(&mut self, content: Content) -> NodeId {
        self.nodes.push(Node { content, ..Node::default() });
        self.nodes.len() - 1
    }

    /// Puts a node, or text, among the children of `parent` before the one at `place`; text becomes part of the text before it.
    fn insert(&mut self, parent: NodeId, place: usize, child: NodeOrText<NodeId>) {
        let before = place.checked_sub(1).and_then(|before| self.children(parent).get(before)).copied();

        let child = match child {
            NodeOrText::AppendNode(child) => {
                self.detach(child);
                child
            }
            NodeOrText::AppendText(text) => {
                if let Some(Node { content: Content::Text(known), .. }) = before.and_then(|at| self.nodes.get_mut(at)) {
                    known.push_str(&text);
                    return;
                }
                self.push(Content::Text(text.to_string()))
            }
        };
        let depth = self.nodes.get(parent).map_or(0, |parent| parent.depth) + 1;
        if let Some(node) = self.nodes.get_mut(child) {
            node.parent = Some(parent);
            node.depth = depth;
        }
        if let Some(node) = self.nodes.get_mut(parent) {
            node.children.insert(place.min(node.children.len()), child);
        }
    }

    fn detach(&mut self, child: NodeId) {
        let parent = self.nodes.get_mut(child).and_then(|node| node.parent.take());
        if let Some(siblings) = parent.and_then(|parent| self.nodes.get_mut(parent)).map(|node| &mut node.children)
            && let Some(place) = place_of(child, siblings)
        {
            siblings.remove(place);
        }
    }

    fn move_children(&mut self, from: NodeId, to: NodeId) {
        let moved = self.nodes.get_mut(from).map(|node| std::mem::take(&mut node.children)).unwrap_or_default();
        for child in &moved {
            if let Some(node) = self.nodes.get_mut(*child) {
                node.parent = Some(to);
            }
        }
        if let Some(node) = self.nodes.get_mut(to) {
            node.children.extend(moved);
        }
    }
}

/// *Why from the end*: a tree grows there, so that this is quick in wide trees as well.
fn place_of(child: NodeId, siblings: &[NodeId]) -> Option<usize> {
    siblings.iter().rposition(|sibling| *sibling == child)
}

/// What html5ever builds the tree with.
struct Builder {
    tree: RefCell<Tree>,
    deepest: Cell<usize>,
}

impl Default for Builder {
    fn default() -> Self {
        Self { tree: RefCell::new(Tree { nodes: vec![Node::default()] }), deepest: Cell::new(0) }
    }
}

impl Builder {
    fn is_past_limit(&self) -> bool {
        self.tree.borrow().nodes.len() > NODES_LIMIT || self.deepest.get() > DEPTH_LIMIT
    }

    fn insert(&self, parent: NodeId, place: usize, child: NodeOrText<NodeId>) {
        let mut tree = self.tree.borrow_mut();
        let depth = tree.nodes.get(parent).map_or(0, |parent| parent.depth);
        self.deepest.set(self.deepest.get().max(depth));
        tree.insert(parent, place, child);
    }
}

/// An element's name, as html5ever asks for it.
#[derive(Debug)]
struct Name(QualName);

impl ElemName for Name {
    fn ns(&self) -> &Namespace {
        &self.0.ns
    }

    fn local_name(&self) -> &LocalName {
        &self.0.local
    }
}

impl TreeSink for Builder {
    type Handle = NodeId;
    type Output = Tree;
    type ElemName<'a> = Name;

    fn finish(self) -> Tree {
        self.tree.into_inner()
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> NodeId {
        DOCUMENT
    }

    fn elem_name(&self, target: &NodeId) -> Name {
        match self.tree.borrow().nodes.get(*target).map(|node| &node.content) {
            Some(Content::Element { name, .. }) => Name(name.clone()),
            Some(Content::Text(_) | Content::Other) | None => {
                Name(QualName::new(None, Namespace::default(), LocalName::default()))
            }
        }
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _flags: ElementFlags) -> NodeId {
        self.tree.borrow_mut().push(Content::Element { name, attributes })
    }

    fn create_comment(&self, _text: StrTendril) -> NodeId {
        self.tree.borrow_mut().push(Content::Other)
    }

    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> NodeId {
        self.tree.borrow_mut().push(Content::Other)
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        let end = self.tree.borrow().children(*parent).len();
        self.insert(*parent, end, child);
    }

    fn append_based_on_parent_node(&self, element: &NodeId, previous: &NodeId, child: NodeOrText<NodeId>) {
        let has_parent = self.tree.borrow().nodes.get(*element).is_some_and(|node| node.parent.is_some());
        match has_parent {
            true => self.append_before_sibling(element, child),
            false => self.append(previous, child),
        }
    }

    fn append_doctype_to_document(&self, _name: StrTendril, _public_id: StrTendril, _system_id: StrTendril) {}

    /// A template's content is no part of the document, so it gets a node that stands nowhere.
    fn get_template_contents(&self, _target: &NodeId) -> NodeId {
        self.tree.borrow_mut().push(Content::Other)
    }

    fn same_node(&self, one: &NodeId, other: &NodeId) -> bool {
        one == other
    }

    fn set_quirks_mode(&self, _mode: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &NodeId, child: NodeOrText<NodeId>) {
        let tree = self.tree.borrow();
        let parent = tree.nodes.get(*sibling).and_then(|node| node.parent).unwrap_or(DOCUMENT);
        let place = place_of(*sibling, tree.children(parent)).unwrap_or(tree.children(parent).len());
        drop(tree);
        self.insert(parent, place, child);
    }

    fn add_attrs_if_missing(&self, target: &NodeId, more: Vec<Attribute>) {
        if let Some(Node { content: Content::Element { attributes, .. }, .. }) =
            self.tree.borrow_mut().nodes.get_mut(*target)
        {
            for attribute in more {
                let is_known = attributes.iter().any(|known| known.name == attribute.name);
                if !is_known && attributes.len() < ATTRIBUTES_LIMIT {
                    attributes.push(attribute);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.tree.borrow_mut().detach(*target);
    }

    fn reparent_children(&self, node: &NodeId, new_parent: &NodeId) {
        self.tree.borrow_mut().move_children(*node, *new_parent);
    }
}
