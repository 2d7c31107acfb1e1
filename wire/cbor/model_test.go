package cbor

import (
	"iter"
	"time"

	"github.com/garrison-security/garrison/aws"
)

// service has one operation whose input and output hold every kind of value,
// one that is called with nothing, and two errors.
var service = &aws.Service{
	Name:            "library",
	QueryCompatible: true,
	Protocols:       []aws.Protocol{aws.RPCV2CBOR},
	Source: `garrison-model 1 3 26 41 0
op Lend POST / in=Loan out=Loan
	error Overdue Lost
op Nothing POST /
op Watch POST / in=Card out=Watching
structure Loan
	Text Text
	Secret Secret
	Flag Flag
	Byte Byte
	Short Short
	Number Number
	Long Long
	Float Float
	Double Double
	Time Time
	Blob Blob
	Any Any
	Nested Loan
	Choice Choice
	Texts Texts
	SparseTexts SparseTexts
	Loans Loans
	Labels Labels
	SparseNumbers SparseNumbers
	SparseLists SparseLists
	Card Card
structure Card
	Number Number!
	Text Short20!
structure Watching
	Card Card
	Events Events
union Events eventstream
	Loan Card
	Overdue Overdue
structure Overdue error=AWS.Overdue status=409 sender
	message Text
	Loan Card
structure Lost error status=500 fault
string Text
string Secret min=1 sensitive
string Short20 max=20
boolean Flag
integer Byte bits=8
integer Short bits=16
integer Number
long Long
float Float
double Double
timestamp Time
blob Blob
document Any
union Choice
	Text Text
	Choice Choice
	Number Number
list Texts
	member Text
list SparseTexts sparse
	member Text
list Loans
	member Loan
map Labels
	key Text
	value Text
map SparseNumbers sparse
	key Text
	value Number
map SparseLists sparse
	key Text
	value Texts
`,
}

type loan struct {
	Text          *string
	Secret        *string
	Flag          *bool
	Byte          *int32
	Short         *int32
	Number        *int32
	Long          *int64
	Float         *float32
	Double        *float64
	Time          *time.Time
	Blob          []byte
	Any           any
	Nested        *loan
	Choice        *choice
	Texts         []string
	SparseTexts   []*string
	Loans         []loan
	Labels        map[string]string
	SparseNumbers map[string]*int32
	SparseLists   map[string][]string
	Card          *card
}

type card struct {
	Number int32
	Text   string
}

type choice struct {
	Text   *string
	Choice *choice
	Number *int32
}

type nothing struct{}

type overdue struct {
	Message string
	Loan    *card
}

func (e *overdue) Error() string      { return "Overdue: " + e.Message }
func (e *overdue) ErrorShape() string { return "Overdue" }
func (e *overdue) ErrorText() string  { return e.Message }

type lost struct{ Message string }

func (e *lost) Error() string      { return "Lost: " + e.Message }
func (e *lost) ErrorShape() string { return "Lost" }
func (e *lost) ErrorText() string  { return e.Message }

type watching struct {
	Card   *card
	Events iter.Seq2[*events, error]
}

type events struct {
	Loan    *card
	Overdue *overdue
}
