package post

import (
	"errors"
	"io"
	"mime/multipart"
	"strconv"
)

// File is the content of a form's file. It counts only once Read has answered
// io.EOF: not before is it known that it has the size that the policy asks for,
// that the form ends well, and that it holds no second file.
type File struct {
	from     *meter
	parts    *multipart.Reader
	part     *part
	min, max int64 // bytes; max -1: no bound
	left     int64 // of the request, as it says, when the file begins, but for the form's end; -1: it does not say
	n        int64
	err      error
}

// begin finds that the file is next. Of the form, size bytes are not the file's: all that is before it, and the line's end behind it.
func (f *File) begin(p *part, size int, boundary string) error {
	if size > MaxFields {
		return tooMuch()
	}
	f.part, f.from.left = p, -1
	if f.left >= 0 {
		f.left = max(0, f.left-int64(size)-int64(len(boundary)+len("----\r\n")))
	}
	return nil
}

// Unsized says that where the content ends its reader finds out, not the request's head.
func (f *File) Unsized() {}

// Read implements io.Reader. Its errors are *aws.Error.
func (f *File) Read(b []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.part.Read(b)
	f.n += int64(n)
	switch {
	case f.max >= 0 && f.n > f.max:
		n, err = 0, custom(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size",
			"ProposedSize", strconv.FormatInt(max(f.n, f.left), 10), "MaxSizeAllowed", strconv.FormatInt(f.max, 10))
	case errors.Is(err, io.EOF):
		err = f.end()
	case err != nil:
		err = broken(err)
	}
	f.err = err
	return n, err
}

// end reads what stands behind the file, which has no effect.
func (f *File) end() error {
	f.from.left = MaxFields
	for files := 1; ; {
		p, err := f.next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if p.name == "file" {
			files++
			return fileCount(files)
		}
	}
	if f.n < f.min {
		return custom(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size",
			"ProposedSize", strconv.FormatInt(f.n, 10), "MinSizeAllowed", strconv.FormatInt(f.min, 10))
	}
	return io.EOF
}
